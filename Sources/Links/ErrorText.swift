import Glibc
import Synchronization
import Work

/// What a program that was started says on standard error: the end of it is kept, and passed on while a person sees that.
public final class ErrorText: Sendable {
  private struct State {
    var bytes: [UInt8] = []
    var isShown: Bool
    var hasEnded = false
  }

  private let state: Mutex<State>

  /// Most bytes that are kept.
  private static let limit = 4096

  /// - Parameters:
  ///   - stream: what the program writes to.
  ///   - isShown: whether it is passed on to this process's standard error.
  public init(_ stream: ByteStream, isShown: Bool) {
    state = Mutex(State(isShown: isShown))
    BackgroundThread { [self] in
      while let bytes = try? stream.read(), !bytes.isEmpty { take(bytes) }
      state.withLock { $0.hasEnded = true }
    }
  }

  /// Passes nothing on any more.
  public func hide() { state.withLock { $0.isShown = false } }

  /// The last line that says something; nil if there is none.
  ///
  /// What a program said just before its end may still be on its way: it is waited for, shortly.
  public func lastLine() -> String? {
    for _ in 0..<40 {
      if state.withLock({ $0.hasEnded }) { break }
      usleep(5000)
    }
    let text = state.withLock { String(decoding: $0.bytes, as: UTF8.self) }
    return text.split(whereSeparator: \.isNewline).map { line in
      String(line.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }.last { !$0.isEmpty }
  }

  private func take(_ bytes: [UInt8]) {
    let isShown = state.withLock { state in
      state.bytes = (state.bytes + bytes).suffix(Self.limit)
      return state.isShown
    }
    if isShown { _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) } }
  }
}
