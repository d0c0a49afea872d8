import Engine
import Inference
import Serving

extension EngineSession {
  private static let evaluation = JobID(103)
  private static let answer = JobID(104)

  /// Measures on a text.
  func evaluate(_ request: EvaluationRequest) throws(CommandFailure) -> EvaluationSummary {
    send(.evaluate(Self.evaluation, request))
    return try next { event in
      if case .evaluated(Self.evaluation, let found) = event { found } else { nil }
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
