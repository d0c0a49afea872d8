import Dispatch
import Serving
import Tensors
import Work

/// The background: commands in, events out, and a thread of its own that lets jobs work in turn.
public final class Engine: Sendable {
  private enum Message: Sendable {
    case command(EngineCommand)
    /// Something that a job waits for has come.
    case wake
  }

  private let messages: Mailbox<Message>
  private let stopped: DispatchSemaphore

  /// Starts the engine.
  ///
  /// - Parameters:
  ///   - settings: what it may use of the machine.
  ///   - server: how servers are asked.
  ///   - onEvent: called with each event, in order, by the thread that works just then; must not wait.
  public init(
    settings: EngineSettings = EngineSettings(), server: any ModelServer = HTTPModelServer(),
    onEvent: @escaping @Sendable (EngineEvent) -> Void
  ) {
    let messages = Mailbox<Message>()
    let stopped = DispatchSemaphore(value: 0)
    self.messages = messages
    self.stopped = stopped
    BackgroundThread {
      // All threads that compute are started from this one, and are as nice as it is.
      if settings.givesWay { BackgroundThread.giveWay() }
      let servers = ServerAccess(server: server) { messages.post(.wake) }
      var core = EngineCore(settings: settings, servers: servers, onEvent: onEvent)
      while !core.isShutDown {
        let isBusy = core.step()
        for case .command(let command) in isBusy ? messages.take() : messages.waitAndTake() {
          core.receive(command)
        }
      }
      stopped.signal()
    }
  }

  deinit { send(.shutDown) }

  /// Tells the engine something; returns at once.
  public func send(_ command: EngineCommand) { messages.post(.command(command)) }

  /// Ends all jobs and the thread; returns when the last event has been sent.
  public func shutDown() {
    send(.shutDown)
    stopped.wait()
    // Whoever else waits, now or later, is let through too.
    stopped.signal()
  }
}
