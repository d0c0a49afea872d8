import Serving
import Synchronization

/// A server that says what tests tell it to, when they tell it to.
final class FakeServer: ModelServer {
  private struct State {
    var questions: [ServerQuestion?] = []
    var report: (@Sendable (ServerNews) -> Void)?
    var closed = 0
  }

  private let state = Mutex(State())

  /// What it was asked, oldest first; nil where only its model was.
  var questions: [ServerQuestion?] { state.withLock { $0.questions } }
  /// How many of its connections were closed.
  var closed: Int { state.withLock { $0.closed } }

  func ask(
    _ question: ServerQuestion?, of address: ServerAddress,
    report: @escaping @Sendable (ServerNews) -> Void
  ) -> ServerExchange {
    state.withLock {
      $0.questions.append(question)
      $0.report = report
    }
    return ServerExchange { [self] in state.withLock { $0.closed += 1 } }
  }

  /// Says something to whoever asked last.
  func say(_ news: ServerNews...) {
    let report = state.withLock { $0.report }
    for item in news { report?(item) }
  }
}
