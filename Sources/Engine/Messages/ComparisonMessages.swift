/// Which layers of the open model to compare with those of another checkpoint.
public struct LayerComparisonRequest: Codable, Hashable, Sendable {
  /// The checkpoint that errors are measured against.
  public var referencePath: String
  /// Names of layers; nil compares all.
  public var layers: [String]?

  public init(referencePath: String, layers: [String]? = nil) {
    self.referencePath = referencePath
    self.layers = layers
  }
}

/// How far a layer's weights are from those of the same layer in another checkpoint, both decoded.
public struct LayerDifference: Codable, Hashable, Sendable {
  /// How one of the checkpoints stores the layer.
  public struct Side: Codable, Hashable, Sendable {
    /// In a few characters: `BF16`, `4 bit g64 sym`, `Q4_K`.
    public var scheme: String
    public var bytes: Int

    public init(scheme: String, bytes: Int) {
      self.scheme = scheme
      self.bytes = bytes
    }
  }

  public var layer: String
  public var reference: Side
  public var compared: Side
  /// Length of the difference over that of the reference, both taken as vectors; nil for a reference of zeros only.
  public var relativeError: Double?
  /// 10 log10 of the reference's energy over the difference's, in dB; nil where there is no difference, or no reference.
  public var sqnr: Double?

  public init(
    layer: String, reference: Side, compared: Side, relativeError: Double?, sqnr: Double?
  ) {
    self.layer = layer
    self.reference = reference
    self.compared = compared
    self.relativeError = relativeError
    self.sqnr = sqnr
  }
}
