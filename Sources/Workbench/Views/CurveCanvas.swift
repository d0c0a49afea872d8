import Terminal

/// A line drawn in dots finer than cells: 2 by 4 a cell in braille, 1 by 2 with blocks or ASCII.
struct CurveCanvas {
  private let style: Glyphs.Plot
  private let size: Size
  private var dots: Set<Point> = []

  init(style: Glyphs.Plot, size: Size) {
    self.style = style
    self.size = size
  }

  /// Dots in one cell from left to right, and from top to bottom.
  private var grain: Size {
    style == .braille ? Size(columns: 2, rows: 4) : Size(columns: 1, rows: 2)
  }

  /// Draws a line between two places, each 0 to 1 from the left and from below.
  mutating func line(from start: (x: Double, y: Double), to end: (x: Double, y: Double)) {
    let width = Double(max(0, size.columns * grain.columns - 1))
    let height = Double(max(0, size.rows * grain.rows - 1))
    let (x0, y0) = (start.x * width, (1 - start.y) * height)
    let (x1, y1) = (end.x * width, (1 - end.y) * height)
    let steps = Int(max(abs(x1 - x0), abs(y1 - y0)).rounded(.up))
    for step in 0...max(1, steps) {
      let share = Double(step) / Double(max(1, steps))
      dots.insert(
        Point(
          column: Int((x0 + share * (x1 - x0)).rounded()),
          row: Int((y0 + share * (y1 - y0)).rounded())))
    }
  }

  /// The glyph of every cell that holds a dot.
  var cells: [Point: Character] {
    let grain = grain
    let groups = Dictionary(grouping: dots) {
      Point(column: $0.column / grain.columns, row: $0.row / grain.rows)
    }
    return groups.mapValues { dots in
      glyph(
        dots.map { Point(column: $0.column % grain.columns, row: $0.row % grain.rows) })
    }
  }

  private func glyph(_ dots: [Point]) -> Character {
    guard style == .braille else {
      let (hasUpper, hasLower) = (dots.contains { $0.row == 0 }, dots.contains { $0.row == 1 })
      let glyphs: [Character] = style == .blocks ? ["█", "▀", "▄"] : [":", "'", "."]
      return hasUpper && hasLower ? glyphs[0] : hasUpper ? glyphs[1] : glyphs[2]
    }
    // Bits of a braille pattern by row, for the left and the right column.
    let bits: [[UInt32]] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]]
    let pattern = dots.reduce(UInt32(0)) { $0 | bits[$1.column][$1.row] }
    return Unicode.Scalar(0x2800 + pattern).map(Character.init) ?? " "
  }
}
