import Serving
import Work

/// Finds out whether a server is there, and which model it has.
struct ConnectJob: Job {
  let id: JobID
  private let news = Mailbox<ServerNews>()
  private let exchange: ServerExchange

  init(id: JobID, address: ServerAddress, servers: ServerAccess) {
    self.id = id
    exchange = servers.ask(nil, of: address, news: news)
  }

  func urgency(in workspace: Workspace) -> Urgency { .live }

  func run(_ turn: Turn) throws(JobFailure) {
    while true {
      try turn.wait(awaitsServer: true) { !news.isEmpty }
      for item in news.take() {
        switch item {
        case .found(let address): return turn.workspace.emit(.serverFound(id, address))
        case .failed(let failure): throw JobFailure(failure)
        case .piece, .ended: break
        }
      }
    }
  }
}
