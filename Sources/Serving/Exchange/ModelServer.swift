/// What comes of asking a server, in this order: the model, pieces, and an end or a failure.
public enum ServerNews: Hashable, Sendable {
  /// The address with the model's name in it.
  case found(ServerAddress)
  case piece(ServedPiece)
  case ended(ServedEnd)
  case failed(ServerFailure)
}

/// Something that answers as a server does.
public protocol ModelServer: Sendable {
  /// Asks the server at `address`; returns at once.
  ///
  /// - Parameters:
  ///   - question: what to ask; nil only finds out which model there is.
  ///   - address: the server and its model.
  ///   - report: called on another thread with what comes of it, in order; must not wait. Nothing comes after an end, a
  ///     failure, or the model if that is all that was asked for.
  /// - Returns: what keeps it going.
  func ask(
    _ question: ServerQuestion?, of address: ServerAddress,
    report: @escaping @Sendable (ServerNews) -> Void
  ) -> ServerExchange
}

/// A question that is being answered; the connection closes when this object goes.
public final class ServerExchange: Sendable {
  private let cancel: @Sendable () -> Void

  /// An exchange that `cancel` ends.
  public init(cancel: @escaping @Sendable () -> Void) { self.cancel = cancel }

  deinit { cancel() }
}

/// How long a server may let others wait.
public struct ServerPatience: Hashable, Sendable {
  /// Until it takes a request, and until it says which models it has.
  public var connecting: Duration
  /// Between two signs of life, the reading of a long prompt among them.
  public var idle: Duration

  public init(connecting: Duration = .seconds(10), idle: Duration = .seconds(120)) {
    self.connecting = connecting
    self.idle = idle
  }
}
