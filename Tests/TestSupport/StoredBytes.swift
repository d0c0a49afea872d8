import Compression
import Tensors

extension CompressedLayer {
  /// Bytes of the layer's tensors in a compressed-tensors checkpoint, or of its blocks in GGUF.
  public var storedBytes: Int {
    guard case .packed(let matrix) = weights else { return weights.byteCount }
    // weight_shape is two integers of 64 bits.
    return 4 * matrix.codes.count + 2 * matrix.scales.count
      + 4 * (matrix.packedZeroPoints()?.count ?? 0) + 16
  }
}
