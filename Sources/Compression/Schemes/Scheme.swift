/// How one layer is compressed: quantized, pruned, both, or kept as it is.
public struct Scheme: Codable, Hashable, Sendable {
  public var quantization: QuantizationScheme?
  public var sparsity: SparsityScheme?

  /// The layer stays as the checkpoint has it.
  public static let keep = Scheme(quantization: nil, sparsity: nil)

  public init(quantization: QuantizationScheme? = nil, sparsity: SparsityScheme? = nil) {
    self.quantization = quantization
    self.sparsity = sparsity
  }

  /// Whether this scheme changes nothing.
  public var keepsLayer: Bool { quantization == nil && sparsity == nil }
}
