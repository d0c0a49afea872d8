import Glibc
import Terminal

extension Color {
  /// What the colour looks like; the terminal's own sixteen as xterm shows them.
  ///
  /// Returns nil for the terminal's default, of which nothing is known.
  private var components: (red: UInt8, green: UInt8, blue: UInt8)? {
    switch self {
    case .terminalDefault: return nil
    case .rgb(let red, let green, let blue): return (red, green, blue)
    case .ansi(let number):
      let value = Self.xterm[Int(min(number, 15))]
      return (UInt8(value >> 16), UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF))
    }
  }

  private static let xterm: [Int] = [
    0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD, 0x00CDCD, 0xE5E5E5,
    0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00, 0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF,
  ]

  /// Relative luminance as WCAG 2 defines it, 0 to 1.
  private var luminance: Double? {
    components.map {
      0.2126 * linear($0.red) + 0.7152 * linear($0.green) + 0.0722 * linear($0.blue)
    }
  }

  /// The WCAG 2 contrast ratio, 1 to 21; nil if one of the colours is the terminal's default.
  func contrast(with other: Color) -> Double? {
    guard let own = luminance, let others = other.luminance else { return nil }
    return (max(own, others) + 0.05) / (min(own, others) + 0.05)
  }
}

private func linear(_ component: UInt8) -> Double {
  let value = Double(component) / 255
  return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
}

/// A role that is hard to read.
struct ContrastFlaw: Hashable, Sendable {
  let role: ThemeRole
  let reason: String
}

extension Theme {
  /// Roles whose glyphs stand out too little from what is behind them, at any depth.
  func contrastFlaws() -> [ContrastFlaw] {
    [ColorDepth.trueColor, .indexed256, .ansi16, .ansi8].flatMap { depth in
      let palette = palette(at: depth)
      return ThemeRole.allCases.compactMap { role in
        flaw(of: role, in: palette, depth).map { ContrastFlaw(role: role, reason: $0) }
      }
    }
  }

  private func flaw(of role: ThemeRole, in palette: StylePalette, _ depth: ColorDepth) -> String? {
    let own = palette[role]
    var pairs = [(own, "its background")]
    if role.isInPopup { pairs.append((palette.onPopup(own), "a popup")) }
    // The terminal's own colours are its user's choice; only what is unreadable anywhere counts.
    let least =
      depth == .ansi16 || depth == .ansi8 ? min(role.leastContrast, 3) : role.leastContrast
    for (style, place) in pairs {
      if style.background == .terminalDefault, Self.unsafe.contains(style.foreground),
        !style.attributes.contains(.reverse)
      {
        return
          "\(role.rawValue) may be invisible: black, white and bright-black are the background "
          + "of some terminals (\(depth.rawValue))"
      }
      if let ratio = style.foreground.contrast(with: style.background), ratio < least {
        return "too little contrast: \(role.rawValue) on \(place) has \(Figures.fixed(ratio, 2)), "
          + "needs \(Figures.fixed(least, 1)) (\(depth.rawValue))"
      }
    }
    return nil
  }

  private static let unsafe: [Color] = [.ansi(0), .ansi(7), .ansi(8), .ansi(15)]
}

extension StylePalette {
  /// A style as it looks inside an overlay: on the overlay's ground unless it has its own.
  func onPopup(_ style: Style) -> Style {
    guard style.background == self[.text].background else { return style }
    var result = style
    result.background = self[.popup].background
    return result
  }
}
