import Tensors

extension Scheme {
  /// The dense scheme that a pruned and quantized layer stands against.
  ///
  /// It has the most bits of those that take no more than the survivors would with a bitmask: what the same bytes hold
  /// without zeros. Both are counted without padding.
  /// - Parameter layer: the layer, which this scheme must fit.
  /// - Returns: the same groups rounded to nearest, or a GGUF type or float format where this is one; nil where
  ///   nothing is both pruned and quantized, or the least bits are already more.
  public func denseRival(for layer: LayerShape) -> Scheme? {
    guard let quantization, sparsity != nil,
      let limit = LayerSize.predicted(for: layer, scheme: self, original: 0).withBitmask
    else { return nil }
    // A weighted range would need a calibration, which comparing should not ask for.
    let range = quantization.range == .weighted ? .mse : quantization.range
    let candidates =
      if quantization.block != nil {
        BlockType.fitting(columns: layer.columns).map {
          QuantizationScheme(block: $0, range: range)
        }
      } else if quantization.float != nil {
        FloatFormat.fitting(columns: layer.columns).map { QuantizationScheme(float: $0) }
      } else {
        QuantizationScheme.widths.map { bits in
          QuantizationScheme(
            bits: bits, group: quantization.group, isSymmetric: quantization.isSymmetric,
            range: range)
        }
      }
    let sized = candidates.map { candidate in
      let scheme = Scheme(quantization: candidate)
      let size = LayerSize.predicted(for: layer, scheme: scheme, original: 0)
      return (scheme: scheme, bytes: size.total - size.padding)
    }
    return sized.filter { $0.bytes <= limit }.max { $0.bytes < $1.bytes }?.scheme
  }
}
