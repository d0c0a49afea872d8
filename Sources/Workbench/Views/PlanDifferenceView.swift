import Allocation
import Checkpoints
import Compression
import Inference
import Sessions
import Terminal

/// What two plans differ in: their bytes, their KLD, their layers.
struct PlanDifferenceView {
  let state: AppState
  let first: Snapshot
  let second: Snapshot

  func drawSummary(in rect: Rect, on painter: inout Painter) {
    painter.put(
      summary(painter), at: Point(column: rect.column + 1, row: rect.row),
      maxColumns: rect.columns - 2)
  }

  /// `a → b   KLD +0.0031 ±0.0004 paired   -4.2 MB`.
  private func summary(_ painter: Painter) -> [Segment] {
    let bytes = second.bytes - first.bytes
    var segments = [
      painter.segment(first.name, .strong), painter.segment(" \(state.glyphs.arrow) ", .dim),
      painter.segment(second.name, .strong),
    ]
    if let one = first.measured, let other = second.measured, one.text == other.text,
      let difference = other.result.pairedDifference(from: one.result)
    {
      let error = difference.standardError.map {
        " \(state.glyphs.plusMinus)\(Figures.significant($0))"
      }
      segments.append(
        painter.segment("   KLD \(Self.signed(difference.value))\(error ?? "")", .strong))
      segments.append(painter.segment(" paired", .dim))
    } else if let one = first.predicted, let other = second.predicted {
      // Like with like: what is measured is never subtracted from what is predicted.
      segments.append(painter.segment("   KLD ~\(Self.signed(other.mean - one.mean))"))
      segments.append(painter.segment(" predicted", .dim))
    }
    segments.append(
      painter.segment("   \(bytes < 0 ? "-" : "+")\(Figures.totalBytes(abs(bytes)))"))
    return segments
  }

  private static func signed(_ value: Double) -> String {
    (value < 0 ? "-" : "+") + Figures.significant(abs(value))
  }

  func drawLayers(in rect: Rect, scrolledBy scroll: Int, on painter: inout Painter) {
    guard let model = state.model else { return }
    let changes = model.changes(
      from: model.assignment(first.schemes), to: model.assignment(second.schemes))
    let rows = changes.map { change in
      let layer = model.layers[change.layer]
      let name = (layer.block.map { "\($0)." } ?? "") + layer.role.rawValue
      let width = max(12, (rect.columns - 22) / 2)
      return [
        painter.segment(painter.fit(name, 15)),
        painter.segment(
          painter.fit(change.from.summary, width), ThemeRole(bits: change.from.quantization?.bits)),
        painter.segment(" \(state.glyphs.arrow) ", .dim),
        painter.segment(
          painter.fit(change.to.summary, width), ThemeRole(bits: change.to.quantization?.bits)),
      ]
    }
    ListView(
      rows: rows.isEmpty ? [[painter.segment("All layers have the same scheme", .dim)]] : rows,
      cursor: min(scroll, max(0, rows.count - 1)), isFocused: false
    ).draw(in: rect, on: &painter)
  }
}
