import Checkpoints
import Export
import Inference

/// Writes the logits of one model, as it is when the job begins, after each token of a text's beginning.
struct LogitsJob: Job {
  /// What a step works on, in this order.
  private enum Phase {
    case encoding(TextWork)
    case reading(Run)
  }

  private struct Run {
    let decoder: Decoder
    let file: LogitsFile
    var pass: LogitsPass
  }

  let id: JobID
  private let request: LogitsRequest
  private var phase: Phase
  private var meter: ProgressMeter

  /// - Throws: ``JobFailure`` when too much is asked for, or nothing can be put at the path.
  init(id: JobID, request: LogitsRequest, workspace: Workspace) throws(JobFailure) {
    self.id = id
    self.request = request
    phase = .encoding(TextWork(path: request.textPath, limit: request.tokenLimit, for: id))
    meter = ProgressMeter(workLeft: 1, now: workspace.now())
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

  func urgency(in workspace: Workspace) -> Urgency? {
    if case .reading = phase { return .background }
    return request.side == .compressed && !workspace.plan.isDone ? nil : .background
  }

  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> JobState {
    switch phase {
    case .encoding(var text):
      if let tokens = try text.step(in: &workspace) {
        phase = .reading(try run(on: tokens, in: &workspace))
      } else {
        phase = .encoding(text)
      }
      return .unfinished
    case .reading(var run):
      // Held in one place only while it works, so that nothing of it is copied.
      phase = .encoding(TextWork(path: request.textPath, limit: 0, for: id))
      let step: LogitsPass.Step
      do { step = try run.pass.step(with: run.decoder) } catch { throw JobFailure(error) }
      if case .logits(let rows) = step { try run.file.append(rows) }
      sayHowFar(run.pass, in: workspace)
      phase = .reading(run)
      guard case .ended = step else { return .unfinished }
      try run.file.finish()
      workspace.emit(.logitsWritten(id, summary(of: run)))
      return .finished
    }
  }

  private func run(on tokens: [Int], in workspace: inout Workspace) throws(JobFailure) -> Run {
    let windows = try TextWork.windows(
      of: tokens, from: request.textPath, length: request.tokenLimit,
      tokenLimit: request.tokenLimit, in: &workspace)
    var decoder = try workspace.models.decoder(request.side)
    decoder.arithmetic = request.arithmetic
    let pass: LogitsPass
    do { pass = try LogitsPass(firstOf: windows, decoder: decoder) } catch {
      throw JobFailure(error)
    }
    let file = try LogitsFile(
      path: request.outputPath, tokens: pass.tokens,
      vocabulary: decoder.description.vocabularySize)
    return Run(decoder: decoder, file: file, pass: pass)
  }

  private func summary(of run: Run) -> LogitsSummary {
    LogitsSummary(
      outputPath: request.outputPath, tokens: run.pass.tokens.count,
      vocabulary: run.decoder.description.vocabularySize, bytes: run.file.byteCount)
  }

  private mutating func sayHowFar(_ pass: LogitsPass, in workspace: Workspace) {
    let progress = meter.report(
      completed: pass.completedTokens, of: pass.tokens.count,
      workLeft: 1 - pass.fractionCompleted, now: workspace.now())
    if let progress { workspace.emit(.jobProgress(id, progress)) }
  }
}
