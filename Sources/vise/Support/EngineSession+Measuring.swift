import Engine
import Inference
import Serving

extension EngineSession {
  private static let evaluation = JobID(103)
  private static let answer = JobID(104)
  private static let logits = JobID(105)

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
      case .answerEnded(Self.answer, let side, _): transcript.finish(side)
      case .serverFound(Self.answer, let server): transcript.name(server.model)
      case .jobEnded(Self.answer, .finished): return ()
      default: break
      }
      return nil
    }
    return transcript
  }
}
