import Compression
import Tensors

/// How compressed-tensors stores a layer's weights.
///
/// A further format needs a case here, its tensors and their bytes in ``LayerEncoding``, and its words in
/// ``QuantizationConfig``.
enum WeightFormat: Hashable, Sendable {
  /// One tensor of a float type: kept layers, and such as are only pruned.
  case dense(ElementType)
  /// `pack-quantized`: codes of 2 to 8 bits in a dense bitstream a row; inputs stay as they are.
  case packed(bits: Int, group: GroupSize, isSymmetric: Bool)
  /// `int-quantized`: a byte a weight and a scale a row; the server rounds each token's inputs to 8 bits.
  case bytesWithRoundedInputs
  /// `float-quantized` in 8 bits, or a format of 4 bits; inputs stay as they are.
  case floats(FloatFormat)

  /// What a target is given of a layer under a scheme that it can hold.
  ///
  /// - Parameters:
  ///   - scheme: without a GGUF block type.
  ///   - shape: the layer without its weights.
  ///   - target: decides which of two formats holds 8-bit codes.
  init(_ scheme: Scheme, for shape: LayerShape, target: ExportTarget) {
    guard let quantization = scheme.quantization else {
      self = .dense(
        scheme.sparsity == nil && !shape.type.isQuantized ? shape.type : shape.storageType)
      return
    }
    if let format = quantization.float {
      self = .floats(format)
    } else if target == .vllmCPU, quantization.bits == 8 {
      self = .bytesWithRoundedInputs
    } else {
      self = .packed(
        bits: quantization.bits, group: quantization.group, isSymmetric: quantization.isSymmetric)
    }
  }

  var isQuantized: Bool {
    if case .dense = self { false } else { true }
  }

  /// compressed-tensors' name of the format; nil for dense weights, which it leaves alone.
  var name: String? {
    switch self {
    case .dense: nil
    case .packed: "pack-quantized"
    case .bytesWithRoundedInputs: "int-quantized"
    case .floats(.fp8), .floats(.fp8Block): "float-quantized"
    case .floats(.nvfp4): "nvfp4-pack-quantized"
    case .floats(.mxfp4): "mxfp4-pack-quantized"
    }
  }
}
