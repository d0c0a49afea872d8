import Checkpoints
import Foundation
import Inference
import Sessions
import Terminal

/// Plans with their figures, one a row.
struct PlanListView {
  struct Row {
    let plan: Snapshot
    var when: Date?
    var isStrong = false
    var isPicked = false
  }

  let state: AppState
  /// The columns that there may be, those first that stay longest.
  let columns: [SnapshotColumn]
  let count: Int
  let cursor: Int
  /// A row by its place, asked for only where it is seen.
  let row: (Int) -> Row

  func draw(in layout: CompareLayout, on painter: inout Painter) {
    let (columns, nameWidth) = SnapshotColumn.fitting(layout.rows.columns - 4, of: columns)
    let heading =
      "  " + painter.fit("", nameWidth)
      + columns.map { "  " + painter.fit($0.rawValue, $0.width, .trailing) }.joined()
    painter.put(
      heading, .dim, at: Point(column: layout.heading.column + 1, row: layout.heading.row),
      maxColumns: layout.heading.columns - 2)
    ListView(count: count, cursor: cursor, isFocused: true) { place, painter in
      let row = row(place)
      return [
        painter.segment(row.isPicked ? state.glyphs.mark : " ", .mark), painter.segment(" "),
        painter.segment(painter.fit(row.plan.name, nameWidth), row.isStrong ? .strong : .text),
      ]
        + columns.map { column in
          let cell = cell(column, of: row, painter)
          return Segment("  " + painter.fit(cell.text, column.width, .trailing), cell.style)
        }
    }.draw(in: layout.rows, on: &painter)
    linkTexts(in: layout, columns, nameWidth, on: &painter)
  }

  /// Makes links of the texts that plans were measured on.
  private func linkTexts(
    in layout: CompareLayout, _ columns: [SnapshotColumn], _ nameWidth: Int,
    on painter: inout Painter
  ) {
    guard let place = columns.firstIndex(of: .text) else { return }
    let start = columns[...place].reduce(layout.rows.column + 1 + 2 + nameWidth) {
      $0 + 2 + $1.width
    }
    for line in 0..<layout.rows.rows {
      let point = Point(column: layout.rows.column, row: layout.rows.row + line)
      guard
        let index = ListView.index(at: point, in: layout.rows, cursor: cursor, count: count),
        let text = row(index).plan.measured?.text
      else { continue }
      let width = min(displayWidth(of: text.fileName), SnapshotColumn.text.width)
      painter.link(
        state.absolute(text), at: Point(column: start - width, row: point.row), columns: width)
    }
  }

  private func cell(_ column: SnapshotColumn, of row: Row, _ painter: Painter) -> Segment {
    let plan = row.plan
    let result = plan.measured?.result
    let none = painter.segment(state.glyphs.dash, .dim)
    switch column {
    case .when:
      let text = row.when.map { DateText.minute($0, in: state.timeZone) } ?? "not kept"
      return painter.segment(text, .dim)
    case .bytes: return painter.segment(Figures.totalBytes(plan.bytes))
    case .bpw: return painter.segment(Figures.fixed(plan.bitsPerWeight, 2))
    case .ppl:
      guard let ppl = result?.compressedPPL ?? result?.referencePPL else { return none }
      return painter.segment(text(ppl, decimals: 2))
    case .kld:
      if let mean = result?.divergence?.mean {
        let error = mean.standardError.map { state.glyphs.plusMinus + Figures.significant($0) }
        return painter.segment(Figures.significant(mean.value) + (error ?? ""), .strong)
      }
      guard let divergence = plan.divergence else { return none }
      return painter.segment("~" + Figures.significant(divergence.value))
    case .top1:
      return result?.top1Agreement.map { painter.segment(Figures.percent($0.value)) } ?? none
    case .speed:
      return plan.answer.map { painter.segment(Figures.fixed($0.tokensPerSecond, 1)) } ?? none
    case .text:
      return painter.segment(plan.measured?.text.fileName ?? "", .dim)
    }
  }

  private func text(_ estimate: Estimate, decimals: Int) -> String {
    let error = estimate.standardError.map {
      state.glyphs.plusMinus + Figures.fixed($0, decimals)
    }
    return Figures.fixed(estimate.value, decimals) + (error ?? "")
  }
}
