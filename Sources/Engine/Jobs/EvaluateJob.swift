import Allocation
import Checkpoints
import Compression
import Inference
import Procedures
import Tokenization
import Work

/// Measures PPL on a text, and how far the plan moves the model, both as they are when it begins.
struct EvaluateJob: Job {
  let id: JobID
  let request: EvaluationRequest

  private var compares: Bool {
    request.compares || request.referencePath != nil || isPruned
  }

  private var isPruned: Bool { request.inputSparsity.map { $0 > 0 } ?? false }

  func run(_ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    // A text that cannot be read is refused before anything is compressed.
    let tokens = try tokens(of: workspace, turn)
    let planned = try request.plan.map { plan throws(JobFailure) in
      try AsidePlan(plan).workspace(turn)
    }
    let measured = planned ?? workspace
    if compares { try turn.wait { measured.plan.isDone } }
    let reference = try reference(reading: tokens, turn)
    // All figures are of one plan: decoders are values, which later changes do not reach.
    if compares { try turn.wait { measured.plan.isDone } }
    var compressed = compares ? try measured.models.decoder(.compressed) : nil
    if let model = compressed {
      compressed?.inputPruning = try measured.inputPruning(
        of: model, share: request.inputSparsity, turn)
    }
    let isOfPlan = request.referencePath == nil
    let schemes =
      isOfPlan && measured.structure == nil && compares && !isPruned ? measured.planSchemes : nil
    var evaluation = try evaluation(of: tokens, reference, in: workspace)
    let estimate = try estimate(of: evaluation, compressed, turn)
    if let model = compressed { compressed?.inputPruning = model.inputPruning?.anew(for: model) }
    var told = workspace.now()
    do {
      try evaluation.run(
        reference: reference, compressed: compressed,
        pace: turn.pace(of: evaluation.windowCount, estimate: estimate)
      ) { evaluation in
        guard workspace.now() - told >= Self.pauseBetweenFigures else { return }
        told = workspace.now()
        if let found = evaluation.result { workspace.emit(.evaluating(id, found)) }
      }
    } catch {
      throw JobFailure(error)
    }
    if isOfPlan { workspace.referenceStates = evaluation.referenceStates }
    guard var summary = evaluation.result else { return }
    summary.inputSparsity = compressed?.inputPruning?.sparsity
    workspace.emit(.evaluated(id, summary))
    learn(summary, of: schemes, in: workspace)
  }

  /// Figures that change more often than this cannot be read.
  private static let pauseBetweenFigures = Duration.milliseconds(250)

  /// Seconds that it should take, if the reference is as fast as the open model.
  private func estimate(
    of evaluation: Evaluation, _ compressed: Decoder?, _ turn: Turn
  ) throws(JobFailure) -> Double {
    let pace = Pace { _ throws(JobFailure) in try turn.tick() }
    return try turn.workspace.speed(pace).evaluation(
      windows: evaluation.windowCount, length: evaluation.readLength,
      scored: evaluation.scoredTokenCount / evaluation.windowCount,
      compressed: try compressed.map { model throws(JobFailure) in
        try turn.workspace.speed(of: model, pace)
      }, readsReference: !evaluation.knowsStates)
  }

  private func tokens(of workspace: Workspace, _ turn: Turn) throws(JobFailure) -> [Int] {
    // As many as the open model's windows take, whichever model reads them.
    let limit = turn.workspace.tokens(ofWindows: request.windowLimit, of: request.window)
    return try workspace.tokens(ofText: request.textPath, limit: limit, turn)
  }

  private func evaluation(
    of tokens: [Int], _ reference: Decoder, in workspace: Workspace
  ) throws(JobFailure) -> Evaluation {
    let settings = try workspace.evaluationSettings(
      window: request.window, limit: request.windowLimit)
    do throws(InferenceError) {
      return try Evaluation(
        tokens: tokens, settings: settings, reference: reference, compares: compares,
        states: request.referencePath == nil ? workspace.referenceStates : nil)
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
  private func reference(
    reading tokens: [Int], _ turn: Turn
  ) throws(JobFailure) -> Decoder {
    let workspace = turn.workspace
    guard let path = request.referencePath else {
      return try workspace.models.decoder(.reference)
    }
    let checkpoint: Checkpoint
    do { checkpoint = try Checkpoint.open(path) } catch { throw JobFailure(error) }
    turn.otherCheckpoints = [checkpoint]
    let other = Workspace(checkpoint, sharing: workspace)
    guard try self.tokens(of: other, turn) == tokens,
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
    _ summary: EvaluationSummary, of schemes: [String: Scheme]?, in workspace: Workspace
  ) {
    guard let schemes, let mean = summary.divergence?.mean else { return }
    workspace.learn(
      MeasuredPlan(
        schemes: schemes, divergence: mean.value, standardError: mean.standardError ?? 0,
        text: request.textPath.fileName, tokens: summary.tokens), from: id)
  }
}
