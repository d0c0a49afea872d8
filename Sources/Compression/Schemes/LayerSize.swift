/// Bytes of one layer under a scheme, part by part, as an export stores them.
public struct LayerSize: Codable, Hashable, Sendable {
  /// Bytes in the checkpoint as it was opened.
  public var original: Int
  /// Packed codes, or dense 16-bit weights where nothing is quantized.
  public var codes: Int
  public var scales: Int
  public var zeroPoints: Int
  /// Bytes of a stored mask; 0 where zeros are stored as codes, as every export format does today.
  public var mask: Int
  /// Bits that only fill words, and the 16 bytes of `weight_shape`.
  public var padding: Int
  /// What the layer would take with a bitmask and survivors only; nil where nothing is pruned.
  public var withBitmask: Int?

  public init(
    original: Int, codes: Int, scales: Int, zeroPoints: Int, mask: Int, padding: Int,
    withBitmask: Int?
  ) {
    self.original = original
    self.codes = codes
    self.scales = scales
    self.zeroPoints = zeroPoints
    self.mask = mask
    self.padding = padding
    self.withBitmask = withBitmask
  }

  /// Bytes of the layer, everything counted.
  public var total: Int { codes + scales + zeroPoints + mask + padding }
}
