import Compression
import Tensors
import Terminal

/// Histograms over one axis: the first grows upwards, the second, if there is one, hangs below it.
struct HistogramView {
  struct Series {
    let histogram: Histogram
    let name: String
    let role: ThemeRole
  }

  let upper: Series
  let lower: Series?
  let isLogarithmic: Bool

  /// Draws the plot, below it the axis, and the names of the series inside the plot's corners.
  func draw(in rect: Rect, on painter: inout Painter) {
    guard rect.rows >= 3, rect.columns >= 12 else { return }
    let (plot, axis) = rect.splitBottom(1)
    let style = painter.glyphs.plot
    let count = plot.columns * Plot.columnsPerCell(style)
    let upperValues = Plot.resampled(upper.histogram.counts, to: count)
    let lowerValues = lower.map { Plot.resampled($0.histogram.counts, to: count) } ?? []
    let greatest = max(upperValues.max() ?? 0, lowerValues.max() ?? 0)
    func heights(_ values: [Double]) -> [Double] {
      Plot.heights(values, greatest: greatest, isLogarithmic: isLogarithmic)
    }
    let (top, bottom) = lower == nil ? (plot, plot) : plot.splitTop((plot.rows + 1) / 2)
    draw(heights(upperValues), .up, upper.role, in: top, on: &painter)
    put(upper, painter.glyphs.up, row: top.row, in: plot, on: &painter)
    if let lower {
      draw(heights(lowerValues), .down, lower.role, in: bottom, on: &painter)
      put(lower, painter.glyphs.down, row: bottom.endRow - 1, in: plot, on: &painter)
    }
    drawAxis(in: axis, on: &painter)
  }

  private func draw(
    _ heights: [Double], _ direction: Plot.Direction, _ role: ThemeRole, in rect: Rect,
    on painter: inout Painter
  ) {
    let marks = Plot(style: painter.glyphs.plot, direction: direction)
      .cells(heights, size: rect.size)
    let style = painter.style(role)
    for (row, line) in marks.enumerated() {
      for (column, mark) in line.enumerated() where mark.glyph != " " || mark.isReversed {
        painter.frame[rect.row + row, rect.column + column] = Cell(
          mark.glyph, style: mark.isReversed ? style.adding(.reverse) : style)
      }
    }
  }

  /// A series' name where its columns are lowest: in the plot's left corner.
  private func put(
    _ series: Series, _ sign: String, row: Int, in plot: Rect, on painter: inout Painter
  ) {
    painter.put(
      "\(sign) \(series.name)", series.role, at: Point(column: plot.column, row: row),
      maxColumns: plot.columns)
  }

  private func drawAxis(in rect: Rect, on painter: inout Painter) {
    let histogram = upper.histogram
    let left = Figures.significant(histogram.lower)
    let right = Figures.significant(histogram.upper)
    painter.put(left, .dim, at: rect.origin, maxColumns: rect.columns)
    painter.put(
      [painter.segment(right, .dim)], endingAt: rect.endColumn, row: rect.row,
      maxColumns: rect.columns)
    guard histogram.lower < 0, histogram.upper > 0 else { return }
    let share = -histogram.lower / (histogram.upper - histogram.lower)
    let zero = rect.column + Int(share * Double(rect.columns))
    let isFree =
      zero > rect.column + left.count + 1 && zero < rect.endColumn - right.count - 1
    if isFree {
      painter.put("0", .dim, at: Point(column: zero, row: rect.row), maxColumns: 1)
    }
  }
}
