import Checkpoints
import Export
import Work

/// Writes what an export says about the model under the current plan: text alone.
///
/// A report tells of compressed layers, so it awaits them.
struct TextExportJob: Job {
  let id: JobID
  let request: ExportRequest

  func urgency(in workspace: Workspace) -> Urgency { .live }

  func run(_ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    if request.format == .report {
      try turn.wait { workspace.plan.keys.allSatisfy(workspace.isAtHand) }
    }
    if request.writesMatrix { try turn.wait { !workspace.awaitsMoments } }
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
  }
}

extension ExportRequest {
  /// Whether what is written has an imatrix, which is made of second moments.
  var writesMatrix: Bool { format == .recipe && target.format == .gguf }
}
