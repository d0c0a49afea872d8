/// Why a server gives no answer: a sentence that names it, says what is wrong and what to do.
public struct ServerFailure: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String
  /// Whether asking again is of no use: a key is missing or wrong.
  public let isRefusal: Bool

  public init(_ description: String, isRefusal: Bool = false) {
    (self.description, self.isRefusal) = (description, isRefusal)
  }
}
