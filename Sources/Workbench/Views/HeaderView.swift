import Checkpoints
import Engine
import Export
import Terminal

/// The first row: the model, what it is, the job in front, the plan.
struct HeaderView {
  /// The program's name; a click on it lists all commands.
  static let brand = "vise"

  let state: AppState

  func draw(in rect: Rect, on painter: inout Painter) {
    let plan = planSegments(painter)
    let planWidth = Painter.width(of: plan) + 1
    painter.put(plan, endingAt: rect.endColumn - 1, row: rect.row, maxColumns: rect.columns / 2)

    let job = jobSegments(painter)
    let jobWidth = job.isEmpty ? 0 : Painter.width(of: job) + 3
    let room = rect.columns - planWidth - 2
    var left = nameSegments(painter)
    let details = detailSegments(painter)
    if Painter.width(of: left + details) + jobWidth <= room { left += details }
    let used = painter.put(
      left, at: Point(column: rect.column + 1, row: rect.row), maxColumns: max(0, room))
    painter.put(
      job, endingAt: rect.endColumn - planWidth - 3, row: rect.row, maxColumns: room - used - 4)
  }

  private func nameSegments(_ painter: Painter) -> [Segment] {
    var segments = [painter.segment(Self.brand, .brand), painter.segment("   ")]
    if let model = state.model {
      segments.append(painter.segment(model.description.name, .strong))
    }
    return segments
  }

  private func detailSegments(_ painter: Painter) -> [Segment] {
    guard let description = state.model?.description else { return [] }
    let separator = " \(state.glyphs.separator) "
    let parts = [
      description.architecture, "\(description.blockCount) blocks",
      Figures.parameters(description.parameterCount),
    ]
    let details = painter.segment("   " + parts.joined(separator: separator), .dim)
    guard !description.abilities.runs else { return [details] }
    return [details, painter.segment("\(separator)weights only", .warn)]
  }

  private func planSegments(_ painter: Painter) -> [Segment] {
    guard let model = state.model else { return [] }
    let isSaved = state.history.isSaved
    let plan = [
      painter.segment("plan ", .dim),
      painter.segment(state.history.name, isSaved ? .text : .strong),
      painter.segment(isSaved ? " " : "*", .warn),
    ]
    guard let target = state.target else { return plan }
    let misfits = model.forecast?.refusals.count ?? 0
    return plan + [
      painter.segment(" for ", .dim), painter.segment(target.rawValue),
      painter.segment(misfits > 0 ? " \(state.glyphs.misfit)\(misfits)" : "", .warn),
    ]
  }

  private func jobSegments(_ painter: Painter) -> [Segment] {
    guard let job = state.jobs.front else { return [] }
    let segments = [painter.segment(job.kind.rawValue + " ", .text)]
    guard let progress = job.progress, progress.total > 0 else {
      return segments + [painter.segment(state.glyphs.ellipsis, .dim)]
    }
    return segments + JobText(job).progress(barColumns: 10, painter)
  }
}
