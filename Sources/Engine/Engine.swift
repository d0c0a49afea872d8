import Dispatch
import Tensors

/// The background: commands in, events out, and a thread of its own that does the work.
public final class Engine: Sendable {
  private let commands: Mailbox<EngineCommand>
  private let stopped: DispatchSemaphore

  /// Starts the engine.
  ///
  /// - Parameters:
  ///   - settings: what it may use of the machine.
  ///   - onEvent: called on the engine's thread with each event, in order; must not wait.
  public init(
    settings: EngineSettings = EngineSettings(),
    onEvent: @escaping @Sendable (EngineEvent) -> Void
  ) {
    let commands = Mailbox<EngineCommand>()
    let stopped = DispatchSemaphore(value: 0)
    self.commands = commands
    self.stopped = stopped
    BackgroundThread.start {
      var core = EngineCore(settings: settings, onEvent: onEvent)
      while !core.isShutDown {
        let isBusy = core.step()
        for command in isBusy ? commands.take() : commands.waitAndTake() { core.receive(command) }
      }
      stopped.signal()
    }
  }

  deinit { commands.post(.shutDown) }

  /// Tells the engine something; returns at once.
  public func send(_ command: EngineCommand) { commands.post(command) }

  /// Ends all jobs and the thread; returns when the last event has been sent.
  public func shutDown() {
    commands.post(.shutDown)
    stopped.wait()
    // Whoever else waits, now or later, is let through too.
    stopped.signal()
  }
}
