import Compression

/// One scheme that an item may get, and what that costs.
public struct PlanOption: Codable, Hashable, Sendable {
  public var scheme: Scheme
  /// Bytes of all layers of the item under the scheme.
  public var bytes: Int
  /// KLD that the item's errors add, in nats a token.
  public var divergence: Double

  public init(scheme: Scheme, bytes: Int, divergence: Double) {
    self.scheme = scheme
    self.bytes = bytes
    self.divergence = divergence
  }
}

/// Layers that get one scheme together, and the schemes to choose from.
public struct PlanItem: Codable, Hashable, Sendable {
  /// Names of the layers: one, or those that a server fuses.
  public var layers: [String]
  public var options: [PlanOption]

  public init(layers: [String], options: [PlanOption]) {
    self.layers = layers
    self.options = options
  }
}
