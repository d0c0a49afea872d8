import Engine
import Inference
import Serving

extension EngineSession {
  private static let evaluation = CommandJob.evaluation.id
  private static let answer = CommandJob.answer.id
  private static let logits = CommandJob.logits.id
  private static let parting = CommandJob.parting.id
  private static let reading = CommandJob.reading.id

  /// Measures on a text; `hears` is told each event up to the job's end.
  func evaluate(
    _ request: EvaluationRequest, hears: (EngineEvent) -> Void = { _ in }
  ) throws(CommandFailure) -> EvaluationSummary {
    send(.evaluate(Self.evaluation, request))
    var summary: EvaluationSummary?
    return try next { event in
      hears(event)
      if case .evaluated(Self.evaluation, let found) = event { summary = found }
      return if case .jobEnded(Self.evaluation, .finished) = event { summary } else { nil }
    }
  }

  /// Writes the logits of one model into a file.
  func writeLogits(_ request: LogitsRequest) throws(CommandFailure) -> LogitsSummary {
    send(.writeLogits(Self.logits, request))
    return try next { event in
      if case .logitsWritten(Self.logits, let found) = event { found } else { nil }
    }
  }

  /// Measures block by block what becomes of an answer.
  func parting(_ request: ReadingRequest) throws(CommandFailure) -> [BlockParting] {
    send(.partByBlock(Self.parting, request))
    var found: [BlockParting] = []
    return try next { event in
      if case .blockParted(Self.parting, let parting) = event { found.append(parting) }
      return if case .jobEnded(Self.parting, .finished) = event { found } else { nil }
    }
  }

  /// What both models expect at each token of an answer.
  func tokens(_ request: ReadingRequest) throws(CommandFailure) -> [TokenReading] {
    send(.readTokens(Self.reading, request))
    var found: [TokenReading] = []
    return try next { event in
      if case .tokensRead(Self.reading, let readings) = event { found += readings }
      return if case .jobEnded(Self.reading, .finished) = event { found } else { nil }
    }
  }

  /// Answers a prompt; streamed, it writes tokens as they come.
  func answer(
    _ request: GenerationRequest, isStreamed: Bool
  ) throws(CommandFailure) -> Transcript {
    send(.generate(Self.answer, request))
    let sides = request.sides.map(AnswerSide.init) + (request.server == nil ? [] : [.served])
    var transcript = Transcript(sides: sides, isStreamed: isStreamed)
    defer { transcript.end() }
    try next { event in
      switch event {
      case .token(Self.answer, let token): transcript.add(token)
      case .answerEnded(Self.answer, let side, let reason): transcript.finish(side, reason)
      case .serverFound(Self.answer, let server): transcript.name(server.model)
      case .jobEnded(Self.answer, .finished): return ()
      default: break
      }
      return nil
    }
    return transcript
  }
}
