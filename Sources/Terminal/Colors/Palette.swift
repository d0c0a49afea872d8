/// A colour that the terminal can show as it is.
enum FittedColor: Hashable {
  case terminalDefault
  /// A number in the palette of 256; 0...15 are the terminal's own colours.
  case indexed(UInt8)
  case rgb(UInt8, UInt8, UInt8)
}

extension Color {
  /// The nearest colour that a terminal of the given depth can show.
  ///
  /// With eight colours, 8...15 still mean the bright variants, which bold stands for.
  func fitted(to depth: ColorDepth) -> FittedColor {
    switch (self, depth) {
    case (.terminalDefault, _), (_, .none): .terminalDefault
    case (.ansi(let number), _): .indexed(min(number, 15))
    case (.rgb(let red, let green, let blue), .trueColor): .rgb(red, green, blue)
    case (.rgb(let red, let green, let blue), .indexed256):
      .indexed(16 + nearest(OKLab(red: red, green: green, blue: blue), in: fixedPalette))
    case (.rgb(let red, let green, let blue), .ansi16),
      (.rgb(let red, let green, let blue), .ansi8):
      .indexed(nearest(OKLab(red: red, green: green, blue: blue), in: ansiPalette))
    }
  }
}

private func nearest(_ color: OKLab, in palette: [OKLab]) -> UInt8 {
  var best: (index: UInt8, distance: Float) = (0, .infinity)
  for (index, candidate) in palette.enumerated() {
    let distance = color.squaredDistance(to: candidate)
    if distance < best.distance { best = (UInt8(index), distance) }
  }
  return best.index
}

/// Colours 16...255, which are the same everywhere: users redefine only the first sixteen.
private let fixedPalette: [OKLab] = {
  let levels: [UInt8] = [0, 95, 135, 175, 215, 255]
  var colors: [OKLab] = []
  for red in levels {
    for green in levels {
      for blue in levels {
        colors.append(OKLab(red: red, green: green, blue: blue))
      }
    }
  }
  for step in UInt8(0)..<24 {
    let grey = 8 + 10 * step
    colors.append(OKLab(red: grey, green: grey, blue: grey))
  }
  return colors
}()

/// The sixteen as xterm shows them unless told otherwise: the best guess at a user's palette.
private let ansiPalette: [OKLab] = [
  (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205),
  (229, 229, 229), (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255),
  (255, 0, 255), (0, 255, 255), (255, 255, 255),
].map { OKLab(red: $0.0, green: $0.1, blue: $0.2) }
