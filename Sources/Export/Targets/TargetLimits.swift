import Compression
import Tensors

/// Integer codes that a target can hold: any of the widths with any of the groups.
public struct IntegerLimits: Codable, Hashable, Sendable {
  /// Bits a code.
  public let widths: [Int]
  /// Weights that share a scale.
  public let groups: [Int]
  /// Whether one scale a row will do.
  public let takesChannels: Bool
  public let takesZeroPoints: Bool
  /// Whether the server rounds each token's inputs to 8 bits: then errors are larger than the weights' own.
  public let roundsInputs: Bool
  /// What the server needs beside itself; nil for nothing.
  public let extra: String?

  init(
    _ widths: [Int], groups: [Int] = GroupSize.sizes, takesChannels: Bool = true,
    takesZeroPoints: Bool = true, roundsInputs: Bool = false, extra: String? = nil
  ) {
    self.widths = widths
    self.groups = groups
    self.takesChannels = takesChannels
    self.takesZeroPoints = takesZeroPoints
    self.roundsInputs = roundsInputs
    self.extra = extra
  }
}

/// What a target can hold, in one table.
///
/// The table is what people and searches go by; ``CompressedTensorsLimits`` and ``GGUFLimits`` decide for each layer and say
/// why.
public struct TargetLimits: Codable, Hashable, Sendable {
  public let target: ExportTarget
  /// What it is, for people.
  public let name: String
  public let format: ExportFormat
  public let integers: [IntegerLimits]
  /// GGUF's block types.
  public let blocks: [BlockType]
  /// Floats of 8 or 4 bits.
  public let floats: [FloatFormat]
  /// Whether q, k, v of a block, and gate, up, must have the same scheme.
  public let fusesLayers: Bool
  /// Whether zeros of pruned layers take fewer bytes, or less time; no reader does that today.
  public let zerosShrink: Bool
  /// What can be said of the embedding; nil where it is a layer as all others.
  public let embedding: String?

  /// Every target, in the order of ``ExportTarget``.
  public static let all = ExportTarget.allCases.map(of)

  /// What a target can hold.
  ///
  /// Source: compressed-tensors 0.20, vLLM 0.32 and what it was seen to load, ggml's block types.
  public static func of(_ target: ExportTarget) -> TargetLimits {
    switch target {
    case .transformers:
      TargetLimits(
        target, "transformers with compressed-tensors",
        [
          IntegerLimits(Array(2...8), takesZeroPoints: false),
          // 0.20 with transformers 5.23 takes packed zero points, its own too, for those of another shape.
          IntegerLimits(Array(2...8), extra: "compressed-tensors 0.19 where there are zero points"),
        ], floats: FloatFormat.allCases, embedding: "kept")
    case .vllm:
      TargetLimits(
        target, "vLLM on CUDA",
        [
          IntegerLimits([4, 8], groups: [32, 64, 128]),
          IntegerLimits([2, 3, 5, 6, 7], groups: [32, 64, 128], extra: "Humming kernels"),
        ], floats: FloatFormat.allCases, fusesLayers: true,
        embedding: "integers of 2, 4 or 8 bits, symmetric")
    case .vllmCPU:
      TargetLimits(
        target, "vLLM on a CPU",
        [
          IntegerLimits([4]),
          IntegerLimits([8], groups: [], takesZeroPoints: false, roundsInputs: true),
        ], fusesLayers: true, embedding: "kept")
    case .llamaCpp:
      TargetLimits(target, "llama.cpp", [], blocks: BlockType.allCases)
    }
  }

  private init(
    _ target: ExportTarget, _ name: String, _ integers: [IntegerLimits], blocks: [BlockType] = [],
    floats: [FloatFormat] = [], fusesLayers: Bool = false, embedding: String? = nil
  ) {
    self.target = target
    self.name = name
    format = target.format
    self.integers = integers
    self.blocks = blocks
    self.floats = floats
    self.fusesLayers = fusesLayers
    zerosShrink = false
    self.embedding = embedding
  }

  /// Whether the table has a scheme, for layers whose rows and columns fit it.
  public func has(_ scheme: Scheme) -> Bool {
    guard let quantization = scheme.quantization else { return true }
    if let block = quantization.block { return blocks.contains(block) }
    if let float = quantization.float { return floats.contains(float) }
    return integers.contains { limits in
      let hasGroup =
        switch quantization.group {
        case .channel: limits.takesChannels
        case .size(let size): limits.groups.contains(size)
        }
      return hasGroup && limits.widths.contains(quantization.bits)
        && (quantization.isSymmetric || limits.takesZeroPoints)
    }
  }
}

extension TargetLimits {
  /// Why a target cannot hold one layer under a scheme, and the nearest scheme that it can; nil if it can.
  ///
  /// - Parameters:
  ///   - scheme: one that ``Scheme/validated(for:)`` accepts.
  ///   - shape: the layer without its weights.
  /// - Returns: the layer with the reason.
  public func refusal(of scheme: Scheme, for shape: LayerShape) -> ExportRefusal? {
    let flaw =
      switch format {
      case .gguf: GGUFLimits.flaw(of: scheme, for: shape)
      case .compressedTensors, .recipe, .report:
        CompressedTensorsLimits.flaw(of: scheme, for: shape, target: target)
      }
    return flaw.map { ExportRefusal(layer: shape.name, reason: $0.reason, nearest: $0.nearest) }
  }

  /// Every layer that keeps the target from holding a model.
  ///
  /// - Parameters:
  ///   - schemes: of each layer, in the order of `shapes`.
  ///   - shapes: all layers of the model.
  /// - Returns: first layers that it cannot hold at all, then those that it cannot hold beside each other, but for such as
  ///   have to be like a layer that it cannot hold.
  public func refusals(of schemes: [Scheme], for shapes: [LayerShape]) -> [ExportRefusal] {
    let alone = zip(schemes, shapes).compactMap { refusal(of: $0, for: $1) }
    guard format == .compressedTensors else { return alone }
    let refused = Set(alone.map(\.layer))
    let byName = Dictionary(
      shapes.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let together = CompressedTensorsLimits.refusals(of: schemes, for: shapes, target: target)
      .filter { refusal in
        guard let nearest = refusal.nearest, let shape = byName[refusal.layer] else { return false }
        return !refused.contains(refusal.layer) && self.refusal(of: nearest, for: shape) == nil
      }
    return alone + together
  }
}
