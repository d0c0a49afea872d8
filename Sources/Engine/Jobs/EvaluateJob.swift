import Inference
import Tensors
import Tokenization

/// Measures PPL on a text, and how far the plan moves the model, both as they are when it begins.
struct EvaluateJob: Job {
  /// What a step works on, in this order.
  private enum Phase {
    case loading
    case encoding(TextPieces, tokens: [Int])
    case reading(Run)
  }

  /// The models measured, fixed at the start so that all figures are of the same plan.
  private struct Run {
    let reference: Decoder
    let compressed: Decoder?
    var evaluation: Evaluation
  }

  let id: JobID
  private let request: EvaluationRequest
  private var phase = Phase.loading
  private var meter: ProgressMeter

  init(id: JobID, request: EvaluationRequest, workspace: Workspace) {
    self.id = id
    self.request = request
    meter = ProgressMeter(workLeft: 1, now: workspace.now())
  }

  func urgency(in workspace: Workspace) -> Urgency? {
    if case .reading = phase { return .background }
    return request.compares && !workspace.plan.isDone ? nil : .background
  }

  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> JobState {
    switch phase {
    case .loading:
      _ = try workspace.models.tokenizer()
      phase = .encoding(TextPieces(try Self.text(at: request.textPath)), tokens: [])
    case .encoding(var pieces, var tokens):
      phase = .loading
      let tokenizer = try workspace.models.tokenizer()
      if tokens.count < tokenLimit, let piece = pieces.next() {
        tokens += tokenizer.encode(piece, allowsSpecialTokens: false)
        phase = .encoding(pieces, tokens: tokens)
      } else {
        let begin = tokenizer.addsBeginToken ? tokenizer.beginToken : nil
        phase = .reading(try run(on: tokens, begin: begin, in: &workspace))
      }
    case .reading(var run):
      phase = .loading
      let goesOn = try read(&run)
      sayHowFar(run.evaluation, in: workspace)
      phase = .reading(run)
      if goesOn { return .unfinished }
      if let summary = run.evaluation.result {
        workspace.emit(.evaluated(id, summary))
      }
      return .finished
    }
    return .unfinished
  }

  /// Tokens that the windows asked for hold; no more of the text is encoded.
  private var tokenLimit: Int {
    guard let limit = request.windowLimit else { return .max }
    let (tokens, isTooMany) = limit.multipliedReportingOverflow(by: request.window)
    return isTooMany ? .max : tokens
  }

  private func run(
    on tokens: [Int], begin: Int?, in workspace: inout Workspace
  ) throws(JobFailure) -> Run {
    let reference = try workspace.models.decoder(.reference)
    let compressed = request.compares ? try workspace.models.decoder(.compressed) : nil
    let settings = Evaluation.Settings(
      window: request.window, windowLimit: request.windowLimit, beginToken: begin)
    do {
      let evaluation = try Evaluation(
        tokens: tokens, settings: settings, reference: reference, compares: request.compares)
      return Run(reference: reference, compressed: compressed, evaluation: evaluation)
    } catch .emptyInput {
      throw JobFailure(sentence: "\(request.textPath): the text is too short to score a token")
    } catch {
      throw JobFailure(error)
    }
  }

  private func read(_ run: inout Run) throws(JobFailure) -> Bool {
    do {
      return try run.evaluation.step(reference: run.reference, compressed: run.compressed)
    } catch {
      throw JobFailure(error)
    }
  }

  private static func text(at path: String) throws(JobFailure) -> [UInt8] {
    let storage: ByteStorage
    do { storage = try ByteStorage(mapping: path) } catch { throw JobFailure(error) }
    let bytes = storage.bytes(in: 0..<storage.count)
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw JobFailure(sentence: "\(path): the text is not UTF-8")
    }
    return bytes
  }

  private mutating func sayHowFar(_ evaluation: Evaluation, in workspace: Workspace) {
    let progress = meter.report(
      completed: evaluation.completedWindows, of: evaluation.windowCount,
      workLeft: 1 - evaluation.fractionCompleted, now: workspace.now())
    if let progress { workspace.emit(.jobProgress(id, progress)) }
  }
}
