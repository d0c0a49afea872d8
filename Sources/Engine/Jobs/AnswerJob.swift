import Inference
import Tensors
import Tokenization
import Work

/// Answers a prompt with one model, or with both side by side: a token of each in turn; and with a server, which takes its
/// own time, and answers alone beside a model that does not run.
final class AnswerJob: Job {
  let id: JobID
  private let request: GenerationRequest
  /// Most tokens of an answer; no context holds more.
  private let limit: Int
  /// Tokens of all answers together, if each is as long as it may be.
  private let total: Int
  private var answers: [Answer]
  private var served: ServedAnswer?
  /// The answer whose turn it is, unless it cannot go on.
  private var place = 0

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
  }

  func urgency(in workspace: Workspace) -> Urgency { .live }

  func run(_ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    var meter = ProgressMeter(workLeft: Double(total), now: workspace.now())
    try wait(turn)
    try start(in: workspace)
    defer { answers.forEach { $0.keepReadTokens(in: workspace) } }
    while !isEnded {
      try wait(turn)
      try step(turn)
      let completed =
        answers.reduce(0) { $0 + $1.completed(of: limit) } + (served?.completed(of: limit) ?? 0)
      turn.report(
        by: &meter, completed: completed, of: total, left: Double(total - completed))
      try turn.tick()
    }
  }

  /// Waits until a server has sent something or an answer can go on.
  private func wait(_ turn: Turn) throws(JobFailure) {
    try turn.wait(awaitsServer: served?.isEnded == false) { [self] in
      isEnded || served?.canGoOn == true || next(in: turn.workspace) != nil
    }
  }

  /// Takes what a server has sent, or goes on with the answer whose turn it is.
  private func step(_ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    if served?.canGoOn == true {
      try served?.step(request, limit: limit, job: id, in: workspace)
    } else if let next = next(in: workspace) {
      place = (next + 1) % answers.count
      try answers[next].prune(request, turn)
      if var token = try answers[next].step(request, limit: limit, job: id, in: workspace) {
        token.divergence = divergence
        workspace.emit(.token(id, token))
      }
    }
  }

  /// Says what is to be known before any answer.
  private func start(in workspace: Workspace) throws(JobFailure) {
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

  private var isEnded: Bool { answers.allSatisfy(\.isEnded) && served?.isEnded != false }

  /// The answer to go on with: from the one whose turn it is, the first that can.
  private func next(in workspace: Workspace) -> Int? {
    answers.indices.lazy
      .map { [self] in ($0 + place) % answers.count }
      .first { answers[$0].canGoOn(in: workspace) }
  }

  /// KLD of the distributions that both last tokens were chosen from, if these are comparable.
  private var divergence: Double? {
    guard let reference = generation(of: .reference), let compressed = generation(of: .compressed),
      reference.prompt == compressed.prompt,
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
