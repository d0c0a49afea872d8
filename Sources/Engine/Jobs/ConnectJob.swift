import Serving

/// Finds out whether a server is there, and which model it has.
struct ConnectJob: Job {
  let id: JobID
  private let news = Mailbox<ServerNews>()
  private let exchange: ServerExchange

  init(id: JobID, address: ServerAddress, servers: ServerAccess) {
    self.id = id
    exchange = servers.ask(nil, of: address, news: news)
  }

  var awaitsServer: Bool { true }

  func urgency(in workspace: Workspace) -> Urgency? { news.isEmpty ? nil : .live }

  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> JobState {
    for item in news.take() {
      switch item {
      case .found(let address):
        workspace.emit(.serverFound(id, address))
        return .finished
      case .failed(let failure): throw JobFailure(failure)
      case .piece, .ended: break
      }
    }
    return .unfinished
  }
}
