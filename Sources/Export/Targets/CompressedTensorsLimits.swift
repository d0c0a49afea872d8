import Compression
import Tensors

/// What compressed-tensors, and the servers that read it, can hold.
///
/// transformers decodes everything that the format has but embeddings, and of experts what it can by one scheme for all.
/// vLLM needs a kernel for each scheme: on CUDA 4 and 8 bits in groups of 32, 64, 128 or a channel run in each
/// installation, other widths with the Humming kernels (`pip install humming`), which is left to who serves. On CPUs it has kernels for 4 bits and for 8-bit weights whose
/// inputs are rounded to 8 bits. It computes q, k and v as one layer, and gate and up as one.
/// Source: `model_executor/layers/quantization/compressed_tensors` and `kernels/linear` of vLLM 0.32.
public enum CompressedTensorsLimits {
  /// Why a target cannot hold a layer under a scheme, and the nearest scheme that it can; nil if it can.
  ///
  /// - Parameters:
  ///   - scheme: one that ``Scheme/validated(for:)`` accepts.
  ///   - shape: the layer without its weights.
  ///   - target: one that loads ``ExportFormat/compressedTensors``.
  /// - Returns: the reason as a clause, and the nearest scheme, nil if there is none.
  public static func flaw(
    of scheme: Scheme, for shape: LayerShape, target: ExportTarget
  ) -> (reason: String, nearest: Scheme?)? {
    guard let quantization = scheme.quantization,
      let reason = reason(against: quantization, for: shape, target: target)
    else { return nil }
    var nearest = scheme
    nearest.quantization = Self.nearest(to: quantization, for: shape, target: target)
    return (reason, nearest)
  }

  private static func reason(
    against quantization: QuantizationScheme, for shape: LayerShape, target: ExportTarget
  ) -> String? {
    if let block = quantization.block {
      return "compressed-tensors has no blocks of \(block.rawValue)"
    }
    if let float = quantization.float {
      return reason(against: float, for: shape, target: target)
    }
    return switch target {
    // Seen with transformers 5.17 and 5.23: it looks for `weight`, whatever the checkpoint has.
    case .transformers:
      if shape.isEmbedding {
        "transformers has no quantized embeddings"
      } else if shape.hasNumberedExperts, !quantization.isSymmetric {
        "transformers decodes experts without zero points"
      } else {
        nil
      }
    case .llamaCpp: nil
    case .vllm: vllmReason(against: quantization, for: shape)
    case .vllmCPU: cpuReason(against: quantization, for: shape)
    }
  }

  private static func reason(
    against float: FloatFormat, for shape: LayerShape, target: ExportTarget
  ) -> String? {
    // transformers 5 leaves the codes of an embedding, or of the head tied to it, as they are.
    if shape.isEmbedding { return "no reader looks up embeddings of \(float.rawValue)" }
    switch target {
    case .transformers:
      // It multiplies codes by their row's scale, and knows no scale of all of a tensor.
      guard shape.hasNumberedExperts, float == .fp8Block || float == .nvfp4 else { return nil }
      return "transformers decodes no experts of \(float.rawValue)"
    case .llamaCpp: return nil
    case .vllmCPU: return "vLLM has no kernels on a CPU for weights of \(float.rawValue)"
    case .vllm:
      let size = 128
      let rows = shape.rows / (shape.hasNumberedExperts ? shape.count : 1)
      guard float == .fp8Block, rows % size != 0 || shape.columns % size != 0 else { return nil }
      return "vLLM needs whole blocks of \(size) x \(size) weights, which \(rows) x "
        + "\(shape.columns) are not"
    }
  }

  private static func vllmReason(
    against quantization: QuantizationScheme, for shape: LayerShape
  ) -> String? {
    if shape.isEmbedding {
      guard embeddingWidths.contains(quantization.bits) else {
        return "vLLM looks up embeddings of 2, 4 or 8 bits only"
      }
      guard quantization.isSymmetric else { return "vLLM looks up symmetric embeddings only" }
    }
    if case .size(let size) = quantization.group, !vllmGroups.contains(size) {
      return "vLLM's kernels have groups of 32, 64, 128 or a channel, not of \(size)"
    }
    return zeroPointReason(against: quantization, for: shape)
  }

  private static func cpuReason(
    against quantization: QuantizationScheme, for shape: LayerShape
  ) -> String? {
    if shape.isEmbedding { return "vLLM has no quantized embeddings on a CPU" }
    switch (quantization.bits, quantization.group, quantization.isSymmetric) {
    case (8, .channel, true): return nil
    case (8, _, _): return "vLLM on a CPU has 8 bits by channel and symmetric only"
    case (4, _, _):
      guard shape.columns % 32 == 0, shape.rows % 32 == 0 else {
        return "vLLM on a CPU packs 4 bits in multiples of 32 rows and columns, "
          + "not \(shape.rows) x \(shape.columns)"
      }
      return zeroPointReason(against: quantization, for: shape)
    default:
      return "vLLM on a CPU has kernels for 4 and 8 bits, not for \(quantization.bits)"
    }
  }

  /// Zero points are packed down the rows, and vLLM puts fused layers' one after the other.
  private static func zeroPointReason(
    against quantization: QuantizationScheme, for shape: LayerShape
  ) -> String? {
    guard !quantization.isSymmetric, shape.rows * quantization.bits % 32 != 0 else { return nil }
    return "vLLM needs zero points that fill whole words, which \(shape.rows) of "
      + "\(quantization.bits) bits do not"
  }

  private static let vllmGroups = [32, 64, 128]
  private static let embeddingWidths = [2, 4, 8]
}

extension CompressedTensorsLimits {
  private static func nearest(
    to quantization: QuantizationScheme, for shape: LayerShape, target: ExportTarget
  ) -> QuantizationScheme? {
    if quantization.float != nil, shape.isEmbedding { return nil }
    if quantization.float == .fp8Block {
      let channels = QuantizationScheme(float: .fp8, method: quantization.method)
      if reason(against: channels, for: shape, target: target) == nil { return channels }
    }
    let plain = quantization.with(
      group: quantization.float == .fp8Block ? .channel : quantization.group)
    if reason(against: plain, for: shape, target: target) == nil { return plain }
    let candidates: [QuantizationScheme] =
      switch target {
      case .transformers: [plain.with(isSymmetric: true)]
      case .llamaCpp: []
      case .vllm: vllmCandidates(for: plain, shape)
      case .vllmCPU:
        [
          plain.bits <= 4 ? plain.with(bits: 4) : nil,
          plain.bits <= 4 ? plain.with(bits: 4, isSymmetric: true) : nil,
          plain.with(bits: 8, group: .channel, isSymmetric: true),
        ].compactMap(\.self)
      }
    return candidates.first { reason(against: $0, for: shape, target: target) == nil }
  }

  private static func vllmCandidates(
    for plain: QuantizationScheme, _ shape: LayerShape
  ) -> [QuantizationScheme] {
    let bits =
      shape.isEmbedding
      ? embeddingWidths.first { $0 >= plain.bits } ?? plain.bits : plain.bits
    var group = plain.group
    if case .size(let size) = group {
      let fitting = vllmGroups.filter { shape.columns % $0 == 0 }
      let nearest = fitting.last { $0 <= size } ?? fitting.first
      group = nearest.map { .size($0) } ?? .channel
    }
    return [plain.isSymmetric, true].map {
      plain.with(bits: bits, group: group, isSymmetric: $0)
    }
  }
}

extension QuantizationScheme {
  /// Plain integers found in the same way, as far as they can be.
  func with(
    bits: Int? = nil, group: GroupSize? = nil, isSymmetric: Bool? = nil
  ) -> QuantizationScheme {
    let isSymmetric = isSymmetric ?? self.isSymmetric
    return QuantizationScheme(
      bits: bits ?? self.bits, group: group ?? self.group, isSymmetric: isSymmetric, range: range,
      method: method == .hqq && isSymmetric ? .rtn : method)
  }
}
