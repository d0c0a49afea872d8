import Glibc
import Terminal

/// Columns of a histogram as characters: filled from below, or hanging from above.
///
/// Which of two series a column belongs to is told by where it stands, not by colour alone.
struct Plot {
  enum Direction: Hashable, Sendable {
    case up, down
  }

  /// One cell; reversed where the glyph's background is the filled part.
  struct Mark: Hashable, Sendable {
    var glyph: Character
    var isReversed = false
  }

  let style: Glyphs.Plot
  let direction: Direction

  /// Heights that fit into one cell, side by side.
  static func columnsPerCell(_ style: Glyphs.Plot) -> Int { style == .braille ? 2 : 1 }

  /// The cells of a plot, row by row from the top.
  ///
  /// - Parameters:
  ///   - heights: 0 to 1, ``columnsPerCell(_:)`` for each column of cells.
  ///   - size: cells to fill.
  /// - Returns: as many rows, each of as many marks, as `size` says.
  func cells(_ heights: [Double], size: Size) -> [[Mark]] {
    (0..<size.rows).map { row in
      // Rows counted from the base line, which is below for `up` and above for `down`.
      let level = direction == .up ? size.rows - 1 - row : row
      return (0..<size.columns).map { column in
        mark(heights, column: column, level: level, rows: size.rows)
      }
    }
  }

  private func mark(_ heights: [Double], column: Int, level: Int, rows: Int) -> Mark {
    func filled(_ place: Int, steps: Int) -> Int {
      guard heights.indices.contains(place) else { return 0 }
      let height = min(max(heights[place], 0), 1) * Double(rows * steps)
      // What is there at all is seen, however small beside the rest.
      let whole = height > 0 ? max(1, Int(height.rounded())) : 0
      return min(max(whole - level * steps, 0), steps)
    }
    switch style {
    case .braille:
      return Mark(glyph: braille(filled(2 * column, steps: 4), filled(2 * column + 1, steps: 4)))
    case .blocks:
      let eighths = filled(column, steps: 8)
      return direction == .up
        ? Mark(glyph: Self.blocks[eighths])
        : Mark(glyph: Self.blocks[8 - eighths], isReversed: eighths > 0)
    case .ascii:
      let halves = filled(column, steps: 2)
      return Mark(glyph: halves == 0 ? " " : halves == 2 ? "#" : direction == .up ? "." : "'")
    }
  }

  private static let blocks: [Character] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

  /// Two columns of up to four dots each.
  private func braille(_ left: Int, _ right: Int) -> Character {
    let leftDots: [UInt32] = [0x40, 0x04, 0x02, 0x01]  // from below
    let rightDots: [UInt32] = [0x80, 0x20, 0x10, 0x08]
    let (first, second) =
      direction == .up ? (leftDots, rightDots) : (leftDots.reversed(), rightDots.reversed())
    let bits = first.prefix(left).reduce(0, |) | second.prefix(right).reduce(0, |)
    guard bits != 0, let scalar = Unicode.Scalar(0x2800 + bits) else { return " " }
    return Character(scalar)
  }

  // MARK: From counts to heights

  /// The bins that hold all values but a share of them, half of it at either end.
  static func middle(of counts: [Int], leaving share: Double) -> Range<Int> {
    let tail = Double(counts.reduce(0, +)) * share / 2
    func outside(_ counts: some Sequence<Int>) -> Int {
      var sum = 0.0
      return counts.prefix { count in
        sum += Double(count)
        return sum <= tail
      }.count
    }
    let (left, right) = (outside(counts), outside(counts.reversed()))
    return left + right < counts.count ? left..<counts.count - right : 0..<counts.count
  }

  /// Counts of a histogram spread over so many columns.
  static func resampled(_ counts: [Int], to columns: Int) -> [Double] {
    guard !counts.isEmpty, columns > 0 else { return Array(repeating: 0, count: max(columns, 0)) }
    let scale = Double(counts.count) / Double(columns)
    return (0..<columns).map { column in
      let start = Double(column) * scale
      let end = start + scale
      var sum = 0.0
      var bin = Int(start)
      while bin < counts.count, Double(bin) < end {
        let overlap = min(end, Double(bin + 1)) - max(start, Double(bin))
        sum += Double(counts[bin]) * max(0, overlap)
        bin += 1
      }
      return sum
    }
  }

  /// Values as shares of the greatest, or the logarithms of both.
  static func heights(_ values: [Double], greatest: Double, isLogarithmic: Bool) -> [Double] {
    guard greatest > 0 else { return values.map { _ in 0 } }
    return values.map {
      isLogarithmic ? log1p($0) / log1p(greatest) : $0 / greatest
    }
  }
}
