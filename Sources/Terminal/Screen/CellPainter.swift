import CNcurses

/// Puts cells into curses' picture of the screen, fitted to what the terminal can show.
struct CellPainter {
  let colorDepth: ColorDepth
  let isUTF8: Bool
  private var numbers: [Color: Int32] = [:]

  init(colorDepth: ColorDepth, isUTF8: Bool) {
    self.colorDepth = colorDepth
    self.isUTF8 = isUTF8
  }

  /// Puts one cell; the right half of a wide glyph goes with its left half.
  mutating func put(_ cell: Cell, row: Int, column: Int) {
    guard cell.width > 0 else { return }
    let style = terminalStyle(cell.style)
    guard isUTF8 || cell.glyph.isASCII else {
      let standIn = asciiStandIn(for: cell.glyph)
      for offset in 0..<Int(cell.width) {
        put([standIn], width: 1, row: row, column: column + offset, style)
      }
      return
    }
    put(cell.glyph.unicodeScalars.map(\.value), width: cell.width, row: row, column: column, style)
  }

  private func put(
    _ scalars: [UInt32], width: Int8, row: Int, column: Int, _ style: TerminalStyle
  ) {
    cn_put(
      Int32(row), Int32(column), scalars, scalars.count, Int32(width), style.attributes,
      style.foreground, style.background)
  }

  /// The cells of a link as the terminal shows them already, and where they lead; an empty address leads nowhere.
  mutating func sequence(for link: Link, address: String, in frame: Frame) -> String {
    // The cursor's place and style are given back, for curses knows nothing of this.
    var text =
      "\u{1B}7\u{1B}[\(link.row + 1);\(link.columns.lowerBound + 1)H\u{1B}]8;;\(address)\u{1B}\\"
    var style: Style?
    for column in link.columns {
      let cell = frame[link.row, column]
      guard cell.width > 0 else { continue }
      if cell.style != style { text += selection(of: cell.style) }
      style = cell.style
      text.append(cell.glyph)
    }
    return text + "\u{1B}]8;;\u{1B}\\\u{1B}8"
  }

  /// The sequence that selects a style (SGR).
  private mutating func selection(of style: Style) -> String {
    let style = terminalStyle(style)
    var numbers = ["0"]
    for (number, attribute) in [
      (1, Attributes.bold), (2, .dim), (3, .italic), (4, .underline), (7, .reverse),
    ] where style.attributes & UInt32(attribute.rawValue) != 0 {
      numbers.append(String(number))
    }
    for (base, color) in [(30, style.foreground), (40, style.background)] {
      switch color {
      case Int32(CN_DEFAULT_COLOR): break
      case Int32(CN_RGB)...:
        let value = color - Int32(CN_RGB)
        numbers.append("\(base + 8);2;\(value >> 16);\(value >> 8 & 0xFF);\(value & 0xFF)")
      case 16...: numbers.append("\(base + 8);5;\(color)")
      case 8...: numbers.append(String(base + 52 + Int(color)))
      default: numbers.append(String(base + Int(color)))
      }
    }
    return "\u{1B}[\(numbers.joined(separator: ";"))m"
  }

  /// A style in the numbers of `cn_put`.
  private struct TerminalStyle {
    var attributes: UInt32
    var foreground: Int32
    var background: Int32
  }

  private mutating func terminalStyle(_ style: Style) -> TerminalStyle {
    var result = TerminalStyle(
      attributes: UInt32(style.attributes.rawValue), foreground: number(of: style.foreground),
      background: number(of: style.background))
    if colorDepth == .ansi8 {
      if result.foreground >= 8 {
        result.foreground -= 8
        result.attributes |= UInt32(Attributes.bold.rawValue)
      }
      if result.background >= 8 { result.background -= 8 }
    }
    return result
  }

  private mutating func number(of color: Color) -> Int32 {
    if let known = numbers[color] { return known }
    let number: Int32 =
      switch color.fitted(to: colorDepth) {
      case .terminalDefault: Int32(CN_DEFAULT_COLOR)
      case .indexed(let index): Int32(index)
      case .rgb(let red, let green, let blue):
        Int32(CN_RGB) + Int32(red) << 16 + Int32(green) << 8 + Int32(blue)
      }
    if numbers.count >= Self.rememberedColors { numbers.removeAll() }
    numbers[color] = number
    return number
  }

  private static let rememberedColors = 4096
}
