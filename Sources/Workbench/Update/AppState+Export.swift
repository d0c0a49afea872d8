import Checkpoints
import Compression
import Engine
import Export
import Sessions

extension AppState {
  /// Opens the overlay; from there it asks for the path, which an argument names.
  mutating func openExport(_ path: String?) -> [Effect] {
    guard let model else {
      inform("No model is open; o opens one")
      return []
    }
    let fitting = ExportChoice.all.firstIndex { choice in
      if let target { return choice.target == target }
      return TargetLimits.of(choice.target).refusals(of: model.schemes, for: model.shapes).isEmpty
    }
    export.offer(fitting ?? 0)
    if let path {
      export.path = path
      export.replaces = false
    } else if overlay == .export {
      return ask(for: .export)
    }
    return showExport()
  }

  /// Does what a key in the overlay means; nil for what means the same everywhere.
  mutating func changeExport(_ command: Command) -> [Effect]? {
    switch command.action {
    case .left, .previousPane: return chooseExport(export.selected - 1)
    case .right, .nextPane: return chooseExport(export.selected + 1)
    case .up: scrollExport(by: -1)
    case .down: scrollExport(by: 1)
    case .pageUp: scrollExport(by: -8)
    case .pageDown: scrollExport(by: 8)
    case .replace:
      export.replaces.toggle()
      return previewExport()
    case .nearest: return takeNearestOfExport()
    case .accept: return startExport()
    default: return nil
    }
    return []
  }

  mutating func chooseExport(_ index: Int) -> [Effect] {
    export.select(index)
    return previewExport()
  }

  /// Takes on what would be written, if it is still asked for.
  mutating func take(_ preview: ExportPreview) -> [Effect] {
    guard preview.request == exportRequest else { return [] }
    let isAwaited = export.startsOncePreviewed && overlay == .export
    export.accept(preview)
    return isAwaited ? startExport() : []
  }

  /// Takes on what was written.
  mutating func take(_ written: ExportPreview, of job: JobID) {
    export.accept(written: written, of: job)
    let said = "\(Figures.totalBytes(written.bytes)) written to \(written.request.path)"
    jobs.note(said, for: job)
    confirm(said)
  }

  /// Shows the overlay, and asks what would be written now.
  mutating func showExport() -> [Effect] {
    overlay = .export
    return previewExport()
  }

  private mutating func previewExport() -> [Effect] {
    export.expectPreview()
    return exportRequest.map { [.engine(.previewExport($0))] } ?? []
  }

  private var exportRequest: ExportRequest? {
    guard let model else { return nil }
    let choice = export.choice
    return ExportRequest(
      format: choice.format, target: choice.target,
      path: expanded(export.path(for: model.description.name)), replaces: export.replaces,
      notes: choice.format == .report ? reportNotes : ReportNotes(), writesReceipt: true)
  }

  private mutating func scrollExport(by distance: Int) {
    let last = max(0, ExportText(self).list.count - 1)
    export.top = max(0, min(export.top + distance, last))
  }

  /// Gives every layer that the target cannot hold the nearest scheme that it can.
  private mutating func takeNearestOfExport() -> [Effect] {
    guard let model, let refusals = export.preview?.refusals, !refusals.isEmpty else { return [] }
    let choice = export.choice
    var schemes = model.schemes
    if choice.format.holdsTensors, let outline = model.outline, outline.target == choice.target {
      schemes = outline.nearest(to: schemes)
    } else {
      for refusal in refusals {
        guard let layer = model.index(ofLayer: refusal.layer) else { continue }
        schemes[layer] = refusal.nearest ?? .keep
      }
    }
    return take(nearest: schemes, for: choice.name) + previewExport()
  }

  private mutating func startExport() -> [Effect] {
    if let job = export.job, jobs[job]?.isRunning == true {
      inform("The export runs; ctrl-c cancels it")
      return []
    }
    guard let request = exportRequest else { return [] }
    guard let preview = export.preview else {
      // Whoever types faster than the engine answers has said what is wanted.
      export.startsOncePreviewed = true
      return []
    }
    guard preview.refusals.isEmpty else {
      refuse("\(export.choice.name) cannot hold this plan; n gives layers the nearest that it can")
      return []
    }
    if let obstacle = preview.obstacle {
      refuse(obstacle)
      return []
    }
    let job = jobs.queue(.export, for: request.path)
    export.begin(job)
    return [.engine(.export(job, request))]
  }

  /// What was measured of the plan and of others, and what both models said.
  private var reportNotes: ReportNotes {
    var notes = ReportNotes()
    if let evaluation = evaluations.current {
      notes.add(evaluation.result, on: evaluation.textPath)
    }
    notes.marks = compared.dropFirst().compactMap { snapshot in
      snapshot.divergence.map {
        .init(
          name: snapshot.name, bytes: snapshot.bytes, divergence: $0.value,
          isMeasured: $0.isMeasured)
      }
    }
    let original = conversation.answer(.reference)
    if answeredPlan == history.current, original.stop != nil, let compressed = compressedAnswer {
      notes.answers = [
        ReportAnswer(
          prompt: compressed.prompt, sampling: conversation.settings.summary(separator: ","),
          original: original.tokens.map(\.text).joined(), compressed: compressed.text)
      ]
    }
    return notes
  }
}
