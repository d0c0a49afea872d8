/// Why a layer cannot be compressed or reported on.
public struct CompressionError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The layer's name.
  public let layer: String
  /// The row at fault, if one is.
  public let row: Int?
  /// What is wrong and what it means, in one sentence.
  public let reason: String

  public init(layer: String, row: Int? = nil, reason: String) {
    self.layer = layer
    self.row = row
    self.reason = reason
  }

  public var description: String {
    row.map { "\(layer), row \($0): \(reason)" } ?? "\(layer): \(reason)"
  }
}
