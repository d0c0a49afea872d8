import Serving

/// How jobs ask servers, and how what these send wakes the engine.
public struct ServerAccess: Sendable {
  private let server: any ModelServer
  private let wake: @Sendable () -> Void

  /// Access by way of `server`; `wake` is called on any thread whenever something has come.
  public init(
    server: any ModelServer = HTTPModelServer(), wake: @escaping @Sendable () -> Void = {}
  ) {
    self.server = server
    self.wake = wake
  }

  /// Asks a server; what comes of it is posted to `news`.
  func ask(
    _ question: ServerQuestion?, of address: ServerAddress, news: Mailbox<ServerNews>
  ) -> ServerExchange {
    server.ask(question, of: address) { [wake] item in
      news.post(item)
      wake()
    }
  }
}
