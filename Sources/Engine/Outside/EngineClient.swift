import Dispatch
import Glibc
import Links
import Synchronization
import Work

/// An engine in another process, here or on another machine: started when it is needed, and again when it is gone.
public final class EngineClient: EngineLink {
  /// Where engines are looked for.
  public enum Source: Sendable {
    case local(EngineFinder)
    /// A machine, and how Vise is called there.
    case ssh(SSHAddress, program: String)

    /// An engine that was started elsewhere knows models by their paths from the root.
    fileprivate func asUnderstoodThere(_ command: EngineCommand) -> EngineCommand {
      guard case .local = self, case .open(let path) = command else { return command }
      return .open(path: EnginePaths.absolute(path, home: nil))
    }
  }

  private enum Message: Sendable {
    case command(EngineCommand)
    /// A connection ended, the how manieth of all.
    case ended(Int)
    case leave
  }

  private let messages = Mailbox<Message>()
  private let hasEnded = DispatchSemaphore(value: 0)

  /// Begins to serve a workbench.
  ///
  /// - Parameters:
  ///   - source: where engines are looked for.
  ///   - first: a connection that was made already.
  ///   - attaches: whether an engine that has the model open will do, or it is to be a new one.
  ///   - memoryBytes: what a new engine may take for a compressed model.
  ///   - client: the workbench's name.
  ///   - onNews: called with all that comes of it, in order, by a thread that must not wait.
  public init(
    _ source: Source, first: EngineConnection? = nil, attaches: Bool, memoryBytes: Int?,
    client: String = EngineClient.newName(),
    onNews: @escaping @Sendable (EngineNews) -> Void
  ) {
    let (messages, hasEnded) = (messages, hasEnded)
    BackgroundThread {
      var connection: EngineConnection?
      var waiting = first
      var number = 0
      // One that was lost may still have the model open, also where at first a new one was asked for.
      var attaches = attaches
      while true {
        for message in messages.waitAndTake() {
          switch message {
          case .ended(number): connection = nil
          case .ended: break
          case .leave:
            connection?.end()
            hasEnded.signal()
            return
          case .command(.shutDown) where connection == nil:
            hasEnded.signal()
            return
          case .command(let command):
            if connection == nil, case .open(let path) = command {
              do throws(LinkError) {
                // `??` takes a closure that throws anything.
                let made: EngineConnection
                if let first = waiting {
                  made = first
                } else {
                  made = try Self.connect(
                    source, path: path, attaches: attaches, client: client,
                    memoryBytes: memoryBytes)
                }
                (connection, waiting, attaches) = (made, nil, true)
                number += 1
                Self.read(made, onNews: onNews) { [number] in messages.post(.ended(number)) }
              } catch {
                onNews(.link(.lost(reason: error.description)))
              }
            }
            // Without a connection nobody knows what a command is about; whoever sent it hears of the loss.
            connection?.send(source.asUnderstoodThere(command))
            if case .shutDown = command {
              Self.awaitEnd(of: number, in: messages)
              hasEnded.signal()
              return
            }
          }
        }
      }
    }
  }

  public func send(_ command: EngineCommand) { messages.post(.command(command)) }

  public func shutDown() {
    send(.shutDown)
    _ = hasEnded.wait(timeout: .now() + .seconds(2))
  }

  public func leave() {
    messages.post(.leave)
    _ = hasEnded.wait(timeout: .now() + .seconds(2))
  }

  /// A name for a workbench that no other has.
  public static func newName() -> String {
    "\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
  }

  /// Connects with the machine of an address while ssh can still ask for a password on the terminal.
  ///
  /// - Throws: ``LinkError`` that says why there is no engine of this version there.
  public static func connect(
    to address: SSHAddress, program: String, attaches: Bool, client: String, memoryBytes: Int?
  ) throws(LinkError) -> EngineConnection {
    let connection = try EngineConnection.ssh(
      address, program: program, asks: true, model: address.path, attaches: attaches,
      client: client, memoryBytes: memoryBytes)
    _ = try connection.welcome()
    return connection
  }

  private static func connect(
    _ source: Source, path: String, attaches: Bool, client: String, memoryBytes: Int?
  ) throws(LinkError) -> EngineConnection {
    switch source {
    case .local(let finder):
      try .local(
        finder, model: path, attaches: attaches, client: client, memoryBytes: memoryBytes)
    case .ssh(let address, let program):
      try .ssh(
        address, program: program, asks: false, model: path, attaches: attaches, client: client,
        memoryBytes: memoryBytes)
    }
  }

  /// Passes on what an engine says, from a thread of its own, until it says no more.
  private static func read(
    _ connection: EngineConnection, onNews: @escaping @Sendable (EngineNews) -> Void,
    atEnd: @escaping @Sendable () -> Void
  ) {
    BackgroundThread {
      var reason: String?
      do throws(LinkError) {
        onNews(.link(.connected(try connection.place())))
        reading: while let message = try connection.next() {
          switch message {
          case .event(let event): onNews(.event(event))
          case .attached(let record): onNews(.link(.attached(record)))
          case .refused(let why):
            reason = why
            break reading
          }
        }
      } catch {
        reason = error.description
      }
      // The next command finds no connection, whenever it comes after the news of its loss.
      atEnd()
      let ending = connection.ending()
      onNews(.link(.lost(reason: reason ?? ending)))
    }
  }

  /// Waits until a connection has ended, or some time is over.
  private static func awaitEnd(of number: Int, in messages: Mailbox<Message>) {
    while true {
      for case .ended(number) in messages.waitAndTake() { return }
    }
  }
}
