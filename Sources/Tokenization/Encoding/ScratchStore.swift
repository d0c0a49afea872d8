import Synchronization

/// Keeps what one encoding learned for the next: whoever encodes takes it, and puts it back.
///
/// Two that encode at once do not wait for each other: the second starts anew.
final class ScratchStore: Sendable {
  private let scratch = Mutex<WordEncoder.Scratch?>(nil)

  func take() -> WordEncoder.Scratch {
    scratch.withLock { scratch in
      defer { scratch = nil }
      return scratch ?? WordEncoder.Scratch()
    }
  }

  func put(_ used: WordEncoder.Scratch) {
    scratch.withLock { $0 = used }
  }
}
