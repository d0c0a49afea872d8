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

  /// Draws the names of the series, the plot, and its axis.
  func draw(in rect: Rect, on painter: inout Painter) {
    guard rect.rows >= 4, rect.columns >= 12 else { return }
    let (legend, rest) = rect.splitTop(1)
    let (plot, axis) = rest.splitBottom(1)
    let style = painter.glyphs.plot
    let count = plot.columns * Plot.columnsPerCell(style)
    let bins = Plot.middle(of: upper.histogram.counts, leaving: Self.tails)
    func values(_ series: Series) -> [Double] {
      Plot.resampled(Array(series.histogram.counts.clamped(to: bins)), to: count)
    }
    let upperValues = values(upper)
    let lowerValues = lower.map(values) ?? []
    // Codes pile up at zero; a spike may be cut so that it does not flatten everything else.
    let upperGreatest = upperValues.max() ?? 0
    let greatest = max(upperGreatest, min(lowerValues.max() ?? 0, 1.5 * upperGreatest))
    func heights(_ values: [Double]) -> [Double] {
      Plot.heights(values, greatest: greatest, isLogarithmic: isLogarithmic)
    }
    let (top, bottom) = lower == nil ? (plot, plot) : plot.splitTop((plot.rows + 1) / 2)
    draw(heights(upperValues), .up, upper.role, in: top, on: &painter)
    if let lower {
      draw(heights(lowerValues), .down, lower.role, in: bottom, on: &painter)
    }
    drawLegend(isWhole: bins.count == upper.histogram.counts.count, in: legend, on: &painter)
    drawAxis(upper.histogram.edges(of: bins), in: axis, on: &painter)
  }

  /// The share of values that is left out, so that a few outliers do not squeeze all others.
  private static let tails = 0.001

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

  /// Which series goes in which direction, and whether outliers are left out.
  private func drawLegend(isWhole: Bool, in rect: Rect, on painter: inout Painter) {
    var segments = [painter.segment("\(painter.glyphs.up) \(upper.name)", upper.role)]
    if let lower {
      segments.append(painter.segment("   \(painter.glyphs.down) \(lower.name)", lower.role))
    }
    let used = painter.put(segments, at: rect.origin, maxColumns: rect.columns)
    guard !isWhole else { return }
    painter.put(
      [painter.segment("99.9%", .dim)], endingAt: rect.endColumn, row: rect.row,
      maxColumns: rect.columns - used - 2)
  }

  private func drawAxis(
    _ edges: ClosedRange<Double>, in rect: Rect, on painter: inout Painter
  ) {
    let left = Figures.significant(edges.lowerBound)
    let right = Figures.significant(edges.upperBound)
    painter.put(left, .dim, at: rect.origin, maxColumns: rect.columns)
    painter.put(
      [painter.segment(right, .dim)], endingAt: rect.endColumn, row: rect.row,
      maxColumns: rect.columns)
    guard edges.lowerBound < 0, edges.upperBound > 0 else { return }
    let share = -edges.lowerBound / (edges.upperBound - edges.lowerBound)
    let zero = rect.column + Int(share * Double(rect.columns))
    let isFree =
      zero > rect.column + left.count + 1 && zero < rect.endColumn - right.count - 1
    if isFree {
      painter.put("0", .dim, at: Point(column: zero, row: rect.row), maxColumns: 1)
    }
  }
}

extension Histogram {
  /// Where some of its bins begin and end.
  fileprivate func edges(of bins: Range<Int>) -> ClosedRange<Double> {
    let width = (upper - lower) / Double(max(counts.count, 1))
    let start = lower + width * Double(bins.lowerBound)
    return start...max(start, lower + width * Double(bins.upperBound))
  }
}

extension [Int] {
  /// The elements in a range of indices, as far as there are any.
  fileprivate func clamped(to range: Range<Int>) -> ArraySlice<Int> {
    self[range.clamped(to: indices)]
  }
}
