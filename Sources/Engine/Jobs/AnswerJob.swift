import Inference
import Tensors
import Tokenization

/// Answers a prompt with one model, or with both side by side: a token of each in turn; and with a server, which takes its
/// own time, and answers alone beside a model that does not run.
struct AnswerJob: Job {
  let id: JobID
  private let request: GenerationRequest
  /// Most tokens of an answer; no context holds more.
  private let limit: Int
  /// Tokens of all answers together, if each is as long as it may be.
  private let total: Int
  private var answers: [Answer]
  private var served: ServedAnswer?
  /// The answer whose turn it is, unless it cannot go on.
  private var turn = 0
  private var hasStarted = false
  private var meter: ProgressMeter

  init(id: JobID, request: GenerationRequest, workspace: Workspace) {
    self.id = id
    self.request = request
    let isServedAlone = request.server != nil && workspace.runningObstacle != nil
    // A model that does not run has no context that would bound a server's answer.
    limit = max(
      0, isServedAlone ? request.tokenLimit : min(request.tokenLimit, workspace.contextLength))
    answers = isServedAlone ? [] : request.sides.map { Answer(side: $0) }
    served = request.server.map { ServedAnswer($0) }
    total = limit * (answers.count + (served == nil ? 0 : 1))
    meter = ProgressMeter(workLeft: Double(total), now: workspace.now())
  }

  func urgency(in workspace: Workspace) -> Urgency? {
    isEnded || served?.canGoOn == true || next(in: workspace) != nil ? .live : nil
  }

  var awaitsServer: Bool { served?.isEnded == false }

  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> JobState {
    if !hasStarted {
      hasStarted = true
      try start(in: &workspace)
    }
    if served?.canGoOn == true {
      try served?.step(request, limit: limit, job: id, in: &workspace)
    } else if let place = next(in: workspace) {
      turn = (place + 1) % answers.count
      if var token = try answers[place].step(request, limit: limit, job: id, in: &workspace) {
        token.divergence = divergence
        workspace.emit(.token(id, token))
      }
    }
    let completed =
      answers.reduce(0) { $0 + $1.completed(of: limit) } + (served?.completed(of: limit) ?? 0)
    if let progress = meter.report(
      completed: completed, of: total, workLeft: Double(total - completed), now: workspace.now())
    {
      workspace.emit(.jobProgress(id, progress))
    }
    return isEnded ? .finished : .unfinished
  }

  /// Says what is to be known before any answer.
  private func start(in workspace: inout Workspace) throws(JobFailure) {
    if served != nil, let obstacle = workspace.runningObstacle {
      for side in request.sides {
        workspace.emit(.answerFailed(id, AnswerSide(side), reason: obstacle))
      }
      return
    }
    let hasTemplate = try workspace.models.tokenizer().chatTemplate != nil
    if let note = workspace.models.takeTokenizerNote() { workspace.emit(.remarked(id, note)) }
    if !request.isRaw, !hasTemplate { workspace.emit(.promptSentRaw(id)) }
  }

  private var isEnded: Bool { answers.allSatisfy(\.isEnded) && !awaitsServer }

  /// The answer to go on with: from the one whose turn it is, the first that can.
  private func next(in workspace: Workspace) -> Int? {
    answers.indices.lazy
      .map { ($0 + turn) % answers.count }
      .first { answers[$0].canGoOn(in: workspace) }
  }

  /// KLD of the distributions that both last tokens were chosen from, if these are comparable.
  private var divergence: Double? {
    guard let reference = generation(of: .reference), let compressed = generation(of: .compressed),
      reference.tokens.count == compressed.tokens.count,
      reference.tokens.dropLast() == compressed.tokens.dropLast(),
      let expected = reference.logits, let found = compressed.logits
    else { return nil }
    return expected.divergence(to: found)
  }

  private func generation(of side: ModelSide) -> Generation? {
    answers.first { $0.side == side && !$0.isEnded }?.generation
  }
}
