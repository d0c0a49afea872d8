import Dispatch
import Synchronization

/// A queue that any thread posts to and one thread takes from.
public final class Mailbox<Message: Sendable>: Sendable {
  private let messages = Mutex<[Message]>([])
  private let arrivals = DispatchSemaphore(value: 0)

  public init() {}

  /// Appends `message` and wakes the taker; never waits.
  public func post(_ message: Message) {
    messages.withLock { $0.append(message) }
    arrivals.signal()
  }

  /// Whether nothing has arrived that was not taken.
  public var isEmpty: Bool { messages.withLock { $0.isEmpty } }

  /// What has arrived so far, oldest first; empty if nothing has.
  public func take() -> [Message] {
    let taken = messages.withLock { waiting in
      defer { waiting.removeAll() }
      return waiting
    }
    // Each message raised the count; taken ones must not wake the next wait.
    for _ in taken { _ = arrivals.wait(timeout: .now()) }
    return taken
  }

  /// What has arrived, oldest first; waits until that is at least one message.
  public func waitAndTake() -> [Message] {
    while true {
      let taken = take()
      if !taken.isEmpty { return taken }
      arrivals.wait()
      // The message that ended the wait is still queued: its count is put back for `take`.
      arrivals.signal()
    }
  }
}
