/// Why a tokenizer's definition makes no tokenizer.
public struct TokenizerError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file that the definition came from.
  public let source: String
  /// What is wrong with it.
  public let reason: String

  public var description: String { "\(source): \(reason)" }
}
