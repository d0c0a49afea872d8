/// Why no allocation can be made.
public enum AllocationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The budget is below the bytes of the smallest plan.
  case budgetTooSmall(bytes: Int, smallest: Int)
  /// The KLD asked for is below that of the best plan.
  case divergenceTooSmall(divergence: Double, least: Double)
  /// An option of the item has a KLD that is negative or no number, or negative bytes.
  case badOption(layer: String, scheme: String)
  /// A layer is part of two items.
  case repeatedLayer(String)

  public var description: String {
    switch self {
    case .budgetTooSmall(let bytes, let smallest):
      "no plan fits \(bytes) bytes: the smallest that the allowed schemes make takes \(smallest)"
    case .divergenceTooSmall(let divergence, let least):
      "no plan reaches a KLD of \(divergence): the best that the allowed schemes make has \(least)"
    case .badOption(let layer, let scheme):
      "\(layer): bytes and KLD of \(scheme) must be numbers that are not negative"
    case .repeatedLayer(let layer): "\(layer) is in two items"
    }
  }
}
