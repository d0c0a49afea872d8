/// Why a server gives no answer: a sentence that names it, says what is wrong and what to do.
public struct ServerFailure: Error, Hashable, Sendable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}
