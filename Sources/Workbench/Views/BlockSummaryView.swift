import Checkpoints
import Compression
import Terminal

/// A block in the inspector: its sums, and its layers with what each takes.
struct BlockSummaryView {
  let state: AppState
  let model: OpenModel
  let layers: [Int]

  func draw(in rect: Rect, on painter: inout Painter) {
    let summary = model.summary(of: layers)
    let ratio = Double(summary.originalBytes) / Double(max(summary.bytes, 1))
    var lines: [[Segment]] = [
      [
        painter.segment(Figures.bytes(summary.originalBytes) + " \(state.glyphs.arrow) ", .dim),
        painter.segment((summary.isEstimate ? "~" : "") + Figures.bytes(summary.bytes), .strong),
        painter.segment("  \(Figures.fixed(ratio, 2))x", .dim),
        painter.segment("   \(Figures.fixed(summary.bitsPerWeight, 2)) bpw"),
      ]
    ]
    if let sqnr = summary.sqnr {
      let tilde = summary.isErrorEstimate ? "~" : ""
      lines.append([
        painter.segment("SQNR ", .dim), painter.segment("\(tilde)\(Figures.fixed(sqnr, 1)) dB"),
        painter.segment("  of \(summary.compressedCount) compressed layers", .dim),
      ])
    }
    lines.append([])
    let largest = layers.map { model.layers[$0].bytes }.max() ?? 1
    lines += layers.map { line(of: $0, largest: largest, columns: rect.columns, painter) }
    for (offset, line) in lines.prefix(rect.rows).enumerated() {
      painter.put(
        line, at: Point(column: rect.column, row: rect.row + offset), maxColumns: rect.columns)
    }
  }

  /// A layer's bits, and a bar of its bytes now beside the largest layer's bytes before.
  private func line(
    of index: Int, largest: Int, columns: Int, _ painter: Painter
  ) -> [Segment] {
    let layer = model.layers[index]
    let bits = model.schemes[index].quantization?.bits
    let size = model.size(index).total
    let text = painter.fit(layer.role.rawValue, 10)
    let width = max(8, columns - 26)
    let role = ThemeRole(bits: bits)
    return [
      painter.segment(text),
      painter.segment(painter.fit(bits.map(String.init) ?? "-", 3, .trailing), role),
      painter.segment(" "),
    ] + painter.bar(Double(size) / Double(max(largest, 1)), columns: width, filled: role) + [
      painter.segment(painter.fit(Figures.bytes(size), 10, .trailing))
    ]
  }
}
