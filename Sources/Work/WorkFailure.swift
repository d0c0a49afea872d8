/// Why long work came to no end: one sentence that says what failed and what to do.
public struct WorkFailure: Error, Hashable, Sendable {
  public let sentence: String

  /// Nobody wants the work any more; whoever cancelled it knows, so that the sentence is never shown.
  public static let cancelled = WorkFailure(sentence: "the work was cancelled")

  public init(sentence: String) { self.sentence = sentence }

  /// A failure of a room, which says what it is.
  public init(_ error: some Error & CustomStringConvertible) { sentence = error.description }
}
