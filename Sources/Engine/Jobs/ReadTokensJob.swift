import Inference
import Tokenization
import Work

/// Lets both models read an answer, and says what each expected at every token of it.
struct ReadTokensJob: Job {
  let id: JobID
  private let request: ReadingRequest
  /// Tokens that are told of each model besides the answer's own.
  private static let alternatives = 5

  /// - Throws: ``JobFailure`` for a model that does not run.
  init(id: JobID, request: ReadingRequest, workspace: Workspace) throws(JobFailure) {
    (self.id, self.request) = (id, request)
    try workspace.checkRuns()
  }

  func urgency(in workspace: Workspace) -> Urgency { .live }

  func run(_ turn: Turn) throws(JobFailure) {
    let read = try turn.readAnswer(of: request)
    let pace = turn.pace(of: max(request.answer.count, 1))
    let reading: AnswerReading
    do throws(InferenceError) {
      reading = try AnswerReading(
        of: read.tokens, from: read.start, reference: read.reference, compressed: read.compressed,
        cacheType: request.conversation.cacheType, pace: pace.part(from: 0, to: 0.6))
    } catch {
      throw JobFailure(error)
    }
    for (part, pace) in pace.part(from: 0.6, to: 1).parts(reading.parts) {
      let scores: [AnswerReading.Scores]
      do throws(InferenceError) {
        scores = try reading.scores(at: part, best: Self.alternatives)
      } catch {
        throw JobFailure(error)
      }
      turn.workspace.emit(.tokensRead(id, scores.map { told($0, read) }))
      try pace.tick(1)
    }
  }

  private func told(_ scores: AnswerReading.Scores, _ read: AnswerRead) -> TokenReading {
    func spelled(_ id: Int) -> String {
      String(decoding: read.tokenizer.bytes(of: id), as: UTF8.self)
    }
    func expectation(_ side: AnswerReading.Expectation) -> TokenReading.Expectation {
      .init(
        probability: side.probability, rank: side.rank,
        alternatives: side.best.map {
          TokenAlternative(id: $0.token, text: spelled($0.token), probability: $0.probability)
        })
    }
    return TokenReading(
      index: scores.index, id: scores.token, text: spelled(scores.token),
      reference: expectation(scores.reference), compressed: expectation(scores.compressed),
      divergence: scores.divergence)
  }
}

/// An answer with what comes before it, and who reads it.
struct AnswerRead {
  let tokens: [Int]
  /// Where the answer begins in the tokens.
  let start: Int
  let tokenizer: Tokenizer
  let reference: Decoder
  let compressed: Decoder
}

extension Turn {
  /// Waits for the compressed model to be the plan's, and readies what reads an answer.
  ///
  /// - Throws: ``JobFailure`` when the conversation cannot be read, or is longer than the context.
  func readAnswer(of request: ReadingRequest) throws(JobFailure) -> AnswerRead {
    try wait { [workspace] in workspace.plan.isDone }
    let tokenizer = try workspace.models.tokenizer()
    let prompt = try request.conversation.tokens(for: request.side, tokenizer)
    let tokens = prompt + request.answer
    guard tokens.count <= workspace.contextLength else {
      throw JobFailure(
        InferenceError.contextExceeded(tokens: tokens.count, limit: workspace.contextLength))
    }
    var reference = try workspace.models.decoder(.reference)
    var compressed = try workspace.models.decoder(.compressed)
    reference.arithmetic = request.conversation.arithmetic
    compressed.arithmetic = request.conversation.arithmetic
    return AnswerRead(
      tokens: tokens, start: prompt.count, tokenizer: tokenizer, reference: reference,
      compressed: compressed)
  }
}
