import Checkpoints
import Export

/// Writes what an export says about the model under the current plan: text alone.
///
/// A report tells of compressed layers, so it awaits them.
struct TextExportJob: Job {
  let id: JobID
  private let request: ExportRequest

  init(id: JobID, request: ExportRequest) {
    self.id = id
    self.request = request
  }

  func urgency(in workspace: Workspace) -> Urgency? {
    let isReady = request.format != .report || workspace.plan.keys.allSatisfy(workspace.isAtHand)
    return isReady ? .live : nil
  }

  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> JobState {
    do throws(ExportError) {
      let layout = try workspace.textLayout(for: request)
      try ExportWriter.check(
        request.path, as: request.form, replaces: request.replaces,
        spares: workspace.description.path)
      let writer = try ExportWriter(
        layout, to: request.path, as: request.form, replaces: request.replaces,
        purpose: request.format.rawValue)
      try writer.finish()
      workspace.emit(
        .exported(
          id,
          ExportPreview(request: request, files: ExportedFile.files(of: layout, for: request))))
    } catch {
      throw JobFailure(error)
    }
    return .finished
  }
}
