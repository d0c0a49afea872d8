import Terminal

/// One colour of a theme, with what stands for it where the terminal has fewer colours.
struct ThemeColor: Hashable, Sendable {
  var full: Color
  var indexed256: Color?
  var ansi16: Color?
  var ansi8: Color?

  init(_ full: Color, indexed256: Color? = nil, ansi16: Color? = nil, ansi8: Color? = nil) {
    self.full = full
    self.indexed256 = indexed256
    self.ansi16 = ansi16
    self.ansi8 = ansi8
  }

  /// The colour at a depth; where the theme says nothing, the terminal takes the nearest it has.
  func color(at depth: ColorDepth) -> Color {
    switch depth {
    case .trueColor: full
    case .indexed256: indexed256 ?? full
    case .ansi16: ansi16 ?? full
    case .ansi8: ansi8 ?? ansi16 ?? full
    case .none: .terminalDefault
    }
  }
}

/// How a role is painted.
struct ThemeStyle: Hashable, Sendable {
  /// Nil is the foreground of `text`.
  var foreground: ThemeColor?
  /// Nil is the background of `text`.
  var background: ThemeColor?
  var attributes: Attributes = []
  /// Added where there is no colour.
  var plain: Attributes = []
}

/// A checked theme: a style for every role, and a gradient from good to bad.
struct Theme: Hashable, Sendable {
  let name: String
  let styles: [ThemeRole: ThemeStyle]
  /// From the calmest to the most alarming; empty where heat is told by figures alone.
  let heat: [ThemeColor]

  /// What the roles look like on a terminal of that depth.
  func palette(at depth: ColorDepth) -> StylePalette { StylePalette(self, depth) }
}

/// The styles of a theme, resolved for one colour depth.
struct StylePalette: Hashable, Sendable {
  private var styles: [ThemeRole: Style] = [:]
  private var heat: [Color] = []
  /// Whether colours look as they are named; of the terminal's own sixteen each user has others.
  private let hasFixedColors: Bool

  init(_ theme: Theme, _ depth: ColorDepth) {
    let text = theme.styles[.text] ?? ThemeStyle()
    for role in ThemeRole.allCases {
      let style = theme.styles[role] ?? text
      let plain = depth == .none ? style.plain : []
      styles[role] = Style(
        foreground: (style.foreground ?? text.foreground)?.color(at: depth) ?? .terminalDefault,
        background: (style.background ?? text.background)?.color(at: depth) ?? .terminalDefault,
        attributes: style.attributes.union(plain)
      ).withoutPaleBold(at: depth)
    }
    hasFixedColors = depth == .trueColor || depth == .indexed256
    if depth != .none { heat = theme.heat.map { $0.color(at: depth) } }
  }

  subscript(role: ThemeRole) -> Style { styles[role] ?? .plain }

  /// The style of something `alarm` (0 to 1) of the way from good to bad.
  ///
  /// Between two 24-bit colours it is mixed in OKLab; among the terminal's own the nearest is taken.
  func heat(_ alarm: Double) -> Style {
    var style = self[.text]
    guard let first = heat.first else { return style }
    let place = min(max(alarm.isFinite ? alarm : 1, 0), 1) * Double(heat.count - 1)
    let index = min(Int(place), max(0, heat.count - 2))
    guard heat.count > 1, case .rgb(let r0, let g0, let b0) = heat[index],
      case .rgb(let r1, let g1, let b1) = heat[index + 1]
    else {
      style.foreground = heat.count > 1 ? heat[Int(place.rounded())] : first
      return style
    }
    style.foreground =
      OKLab(red: r0, green: g0, blue: b0)
      .mixed(
        with: OKLab(red: r1, green: g1, blue: b1), fraction: Float(place - Double(index))
      ).color
    return style
  }

  /// A cell's style under the selection: coloured glyphs keep their colour where that is sure to be legible.
  func selected(_ style: Style, _ role: ThemeRole = .selection) -> Style {
    let selection = self[role]
    var result = selection.adding(style.attributes)
    guard hasFixedColors else { return result.withoutPaleBold(at: .ansi16) }
    if style.foreground != self[.text].foreground,
      let contrast = style.foreground.contrast(with: selection.background),
      contrast >= Self.legible
    {
      result.foreground = style.foreground
    }
    return result
  }

  /// The contrast from which on coloured glyphs of a figure are legible.
  private static let legible = 3.0
}

extension Style {
  /// The style without bold where it makes glyphs paler: terminals that brighten bold colours make black grey, and every
  /// colour come closer to a white ground.
  fileprivate func withoutPaleBold(at depth: ColorDepth) -> Style {
    guard depth == .ansi16 || depth == .ansi8,
      foreground == .ansi(0) || background == .ansi(7) || background == .ansi(15)
    else { return self }
    return Style(
      foreground: foreground, background: background, attributes: attributes.subtracting(.bold))
  }
}
