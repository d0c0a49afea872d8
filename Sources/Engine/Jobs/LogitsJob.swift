import Checkpoints
import Export
import Inference
import Tensors
import Work

/// Writes the logits of one model, as it is when the job begins, after each token of a text's beginning.
struct LogitsJob: Job {
  let id: JobID
  private let request: LogitsRequest

  /// - Throws: ``JobFailure`` when too much is asked for, or nothing can be put at the path.
  init(id: JobID, request: LogitsRequest, workspace: Workspace) throws(JobFailure) {
    self.id = id
    self.request = request
    try workspace.checkRuns()
    try LogitsFile.check(
      tokens: request.tokenLimit, vocabulary: workspace.description.vocabularySize,
      context: workspace.contextLength)
    do {
      try ExportWriter.check(
        request.outputPath, as: .file, replaces: request.replaces,
        spares: workspace.description.path)
    } catch {
      throw JobFailure(error)
    }
  }

  func run(_ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    let tokens = try workspace.tokens(ofText: request.textPath, limit: request.tokenLimit, turn)
    let windows = try workspace.windows(
      of: tokens, from: request.textPath, length: request.tokenLimit,
      tokenLimit: request.tokenLimit)
    if request.side == .compressed { try turn.wait { workspace.plan.isDone } }
    var decoder = try workspace.models.decoder(request.side)
    decoder.arithmetic = request.arithmetic
    let pace = turn.pace(of: windows.length)
    let pass: LogitsPass
    do {
      pass = try LogitsPass(
        firstOf: windows, decoder: decoder, cacheType: request.cacheType,
        pace: pace.part(from: 0, to: 0.5))
    } catch {
      throw JobFailure(error)
    }
    let vocabulary = workspace.description.vocabularySize
    let file = try LogitsFile(
      path: request.outputPath, tokens: pass.tokens, vocabulary: vocabulary)
    for (positions, pace) in pace.part(from: 0.5, to: 1).parts(pass.parts) {
      let logits: Matrix
      do { logits = try pass.logits(at: positions) } catch { throw JobFailure(error) }
      try file.append(logits)
      try pace.tick(1)
    }
    try file.finish()
    workspace.emit(
      .logitsWritten(
        id,
        LogitsSummary(
          outputPath: request.outputPath, tokens: pass.tokens.count, vocabulary: vocabulary,
          bytes: file.byteCount)))
  }
}
