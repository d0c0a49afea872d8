import Allocation
import Checkpoints
import Compression
import Inference
import Tokenization

/// Measures PPL on a text, and how far the plan moves the model, both as they are when it begins.
struct EvaluateJob: Job {
  /// What a step works on, in this order.
  private enum Phase {
    case encoding(TextWork)
    case reading(Run)
  }

  /// The models measured, fixed at the start so that all figures are of the same plan.
  private struct Run {
    let reference: Decoder
    let compressed: Decoder?
    /// The plan that is measured; nil where predictions have nothing to learn from it.
    let schemes: [String: Scheme]?
    var evaluation: Evaluation
  }

  let id: JobID
  private let request: EvaluationRequest
  private var phase: Phase
  private var meter: ProgressMeter
  /// The other model that this one is compared with; nil where it is the model as it was opened.
  private var other: Checkpoint?

  init(id: JobID, request: EvaluationRequest, workspace: Workspace) {
    self.id = id
    self.request = request
    phase = .encoding(
      TextWork(
        path: request.textPath,
        limit: workspace.tokens(ofWindows: request.windowLimit, of: request.window), for: id))
    meter = ProgressMeter(workLeft: 1, now: workspace.now())
  }

  var damage: CheckpointError? { other?.damage }

  func urgency(in workspace: Workspace) -> Urgency? {
    if case .reading = phase { return .background }
    return (request.compares || request.referencePath != nil) && !workspace.plan.isDone
      ? nil : .background
  }

  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> JobState {
    switch phase {
    case .encoding(var text):
      if let tokens = try text.step(in: &workspace) {
        phase = .reading(try run(on: tokens, in: &workspace))
      } else {
        phase = .encoding(text)
      }
    case .reading(var run):
      // Held in one place only while it works, so that nothing of it is copied.
      phase = .encoding(TextWork(path: request.textPath, limit: 0, for: id))
      let goesOn = try read(&run)
      sayHowFar(run.evaluation, in: workspace)
      phase = .reading(run)
      if goesOn { return .unfinished }
      if request.referencePath == nil {
        workspace.referenceStates = run.evaluation.referenceStates
      }
      if let summary = run.evaluation.result {
        workspace.emit(.evaluated(id, summary))
        learn(summary, of: run.schemes, in: &workspace)
      }
      return .finished
    }
    return .unfinished
  }

  private mutating func run(
    on tokens: [Int], in workspace: inout Workspace
  ) throws(JobFailure) -> Run {
    let tokenizer = try workspace.models.tokenizer()
    let reference = try reference(reading: tokens, in: &workspace)
    let compares = request.compares || request.referencePath != nil
    let compressed = compares ? try workspace.models.decoder(.compressed) : nil
    let settings = Evaluation.Settings(
      window: workspace.windowLength(request.window), windowLimit: request.windowLimit,
      beginToken: tokenizer.textBegin)
    do {
      let evaluation = try Evaluation(
        tokens: tokens, settings: settings, reference: reference, compares: compares,
        states: request.referencePath == nil ? workspace.referenceStates : nil)
      let isPrediction = request.referencePath == nil && workspace.structure == nil && compares
      return Run(
        reference: reference, compressed: compressed,
        schemes: isPrediction ? workspace.planSchemes : nil, evaluation: evaluation)
    } catch .emptyInput {
      throw JobFailure(
        sentence:
          "\(request.textPath): the text is \(tokens.count) tokens long, too short to score one; give one of "
          + "some thousand tokens")
    } catch {
      throw JobFailure(error)
    }
  }

  /// The model as it was opened, or another one that reads the same tokens.
  private mutating func reference(
    reading tokens: [Int], in workspace: inout Workspace
  ) throws(JobFailure) -> Decoder {
    guard let path = request.referencePath else {
      return try workspace.models.decoder(.reference)
    }
    let checkpoint: Checkpoint
    do { checkpoint = try Checkpoint.open(path) } catch { throw JobFailure(error) }
    self.other = checkpoint
    var other = Workspace(checkpoint, sharing: workspace)
    var text = TextWork(
      path: request.textPath,
      limit: workspace.tokens(ofWindows: request.windowLimit, of: request.window), for: id)
    var expected: [Int]?
    while expected == nil { expected = try text.step(in: &other) }
    guard expected == tokens,
      checkpoint.description.vocabularySize == workspace.description.vocabularySize
    else {
      throw JobFailure(
        sentence: "\(path): the reference reads other tokens than \(workspace.description.name); "
          + "give a checkpoint of the same model")
    }
    return try other.models.decoder(.reference)
  }

  /// Lets predictions learn from what was measured.
  private func learn(
    _ summary: EvaluationSummary, of schemes: [String: Scheme]?, in workspace: inout Workspace
  ) {
    guard let schemes, let mean = summary.divergence?.mean else { return }
    workspace.learn(
      MeasuredPlan(
        schemes: schemes, divergence: mean.value, standardError: mean.standardError ?? 0,
        text: request.textPath.fileName, tokens: summary.tokens), from: id)
  }

  private func read(_ run: inout Run) throws(JobFailure) -> Bool {
    do {
      return try run.evaluation.step(reference: run.reference, compressed: run.compressed)
    } catch {
      throw JobFailure(error)
    }
  }

  private mutating func sayHowFar(_ evaluation: Evaluation, in workspace: Workspace) {
    let progress = meter.report(
      completed: evaluation.completedWindows, of: evaluation.windowCount,
      workLeft: 1 - evaluation.fractionCompleted, now: workspace.now())
    if let progress { workspace.emit(.jobProgress(id, progress)) }
  }
}
