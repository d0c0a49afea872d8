import Compression
import Tensors

/// What an llm-compressor recipe cannot say, or would not do.
public enum CompressorLimits {
  /// Layers that keep a plan from being a recipe for a target, with the nearest scheme that can be.
  ///
  /// - Parameters:
  ///   - schemes: of each layer, in the order of `shapes`.
  ///   - shapes: all layers of the model.
  ///   - target: who is to load what the recipe makes; for llama.cpp nothing is refused, as llama-quantize has methods of
  ///     its own.
  /// - Returns: first what the target cannot hold; if there is nothing, what the recipe cannot do.
  public static func refusals(
    of schemes: [Scheme], for shapes: [LayerShape], target: ExportTarget
  ) -> [ExportRefusal] {
    guard target.format == .compressedTensors else { return [] }
    let refused = TargetLimits.of(target).refusals(of: schemes, for: shapes)
    guard refused.isEmpty else { return refused }
    return zip(schemes, shapes).compactMap { scheme, shape in
      flaw(of: scheme).map {
        ExportRefusal(layer: shape.name, reason: $0.reason, nearest: $0.nearest)
      }
    }
  }

  private static func flaw(of scheme: Scheme) -> (reason: String, nearest: Scheme)? {
    var nearest = scheme
    if scheme.quantization?.method == .hqq {
      nearest.quantization?.method = .rtn
      return ("llm-compressor has no HQQ", nearest)
    }
    if scheme.sparsity?.method == .magnitude {
      // A run in one shot ends with no zeros at all, and says nothing.
      nearest.sparsity?.method = .wanda
      return ("llm-compressor does not prune by magnitude in one shot", nearest)
    }
    if scheme.sparsity != nil, scheme.quantization?.method == .gptq {
      nearest.quantization?.method = .rtn
      return ("llm-compressor's GPTQ fills the zeros that pruning made", nearest)
    }
    return nil
  }
}
