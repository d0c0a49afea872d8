import Checkpoints
import Compression
import Tensors

extension CompressedTensorsLimits {
  /// What a target makes of quantized layers otherwise than they are stored: a sentence each.
  ///
  /// Seen with transformers 5.24 and compressed-tensors 0.20.
  /// - Parameters:
  ///   - model: what is exported.
  ///   - quantized: those of its layers that are stored in codes.
  ///   - target: one that loads ``ExportFormat/compressedTensors``.
  /// - Returns: none where they compute alike.
  static func notes(
    on model: ModelDescription, quantized: [LayerShape], target: ExportTarget
  ) -> [String] {
    guard target == .transformers, !quantized.isEmpty else { return [] }
    var notes: [String] = []
    if let reason = unloadable[model.architecture] {
      notes.append(
        "transformers 5.24 does not rightly load quantized models of the architecture "
          + "\"\(model.architecture)\": \(reason)")
    }
    if quantized.contains(where: \.hasNumberedExperts) {
      notes.append(
        "transformers rounds experts to 16 bits when it loads them: logits differ a little, and where "
          + "the choice between two experts is close by another expert")
    }
    return notes
  }

  /// By `model_type`, why transformers does not load what is quantized.
  private static let unloadable = [
    "falcon": "it draws weights at random first, and misses those that codes replace",
    "mamba2": "it draws weights at random first, and misses those that codes replace",
    "kimi_linear": "it joins convolutions, and takes them for quantized layers",
    "llama4": "it draws experts at random that are one tensor",
    "llama4_text": "it draws experts at random that are one tensor",
  ]
}
