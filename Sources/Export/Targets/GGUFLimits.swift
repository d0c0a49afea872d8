import Compression
import Tensors

/// What GGUF, and llama.cpp that reads it, can hold.
public enum GGUFLimits {
  /// Why GGUF cannot hold a layer under a scheme, and the nearest scheme that it can; nil if it can.
  ///
  /// - Parameters:
  ///   - scheme: one that ``Scheme/validated(for:)`` accepts.
  ///   - shape: the layer without its weights.
  /// - Returns: the reason as a clause, and the nearest scheme, nil if there is none.
  public static func flaw(
    of scheme: Scheme, for shape: LayerShape
  ) -> (reason: String, nearest: Scheme?)? {
    guard let quantization = scheme.quantization, quantization.block == nil else { return nil }
    let reason =
      quantization.float.map { "llama.cpp's blocks have no \($0.rawValue)" }
      ?? "llama.cpp has no codes of \(quantization.bits) bits with scales of any group; "
      + "its block types fix both"
    return (reason, nearest(to: quantization, sparsity: scheme.sparsity, for: shape))
  }

  /// The block type of the closest width, then of the same symmetry, then of the closest size; with the same method if
  /// some block type allows it.
  private static func nearest(
    to quantization: QuantizationScheme, sparsity: SparsityScheme?, for shape: LayerShape
  ) -> Scheme? {
    for method in [quantization.method, .rtn] {
      let candidates = BlockType.allCases.filter { block in
        let scheme = QuantizationScheme(block: block, range: quantization.range, method: method)
        return (try? Scheme(quantization: scheme, sparsity: sparsity).validated(for: shape)) != nil
      }
      let nearest = candidates.min { first, second in
        distance(first, quantization, shape).lexicographicallyPrecedes(
          distance(second, quantization, shape))
      }
      guard let nearest else { continue }
      return Scheme(
        quantization: QuantizationScheme(
          block: nearest, range: quantization.range, method: method), sparsity: sparsity)
    }
    return nil
  }

  private static func distance(
    _ block: BlockType, _ quantization: QuantizationScheme, _ shape: LayerShape
  ) -> [Double] {
    let perGroup = quantization.isSymmetric ? 16 : 16 + Double(quantization.bits)
    let size =
      Double(quantization.bits)
      + perGroup / Double(quantization.group.weights(inRowOf: shape.columns))
    let blockSize = 8 * Double(block.bytesPerBlock) / Double(block.blockSize)
    return [
      // Of two widths equally far, the larger.
      abs(Double(block.bits - quantization.bits)) - (block.bits > quantization.bits ? 0.5 : 0),
      block.isSymmetric == quantization.isSymmetric ? 0 : 1, abs(blockSize - size),
    ]
  }
}
