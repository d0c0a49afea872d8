import Synchronization

/// Events from other threads, waiting for the one that owns the screen.
final class EventInbox: Sendable {
  private let events = Mutex<[AppEvent]>([])
  private let wake: @Sendable () -> Void

  /// - Parameter wake: Wakes the loop, from any thread.
  init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

  /// Adds an event and wakes the loop; callable from any thread, and never waits for it.
  func post(_ event: AppEvent) {
    let wasEmpty = events.withLock { events in
      events.append(event)
      return events.count == 1
    }
    if wasEmpty { wake() }
  }

  /// Takes everything that has come in, oldest first.
  func take() -> [AppEvent] {
    events.withLock { events in
      defer { events = [] }
      return events
    }
  }
}
