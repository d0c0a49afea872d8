import Tensors
import JSON

/// Layers of E4M3 with a scale for a rectangle, a row or all of their weights, as DeepSeek, Qwen, MiniMax, Mistral and
/// FBGEMM store them: config.json's `quantization_config`.
struct FP8Format: QuantizationFormat {
  /// The rows and columns that share a scale where a scale is for neither a row nor all; nil if it is not said.
  let block: (rows: Int, columns: Int)?
  /// The type that weights decode to; nil if config.json says none.
  let weightType: ElementType?
  private let quantizesActivations: Bool
  let maker = "FP8"

  init(_ section: JSONFile, config: JSONFile) throws(CheckpointError) {
    switch section.root["weight_block_size"] {
    case .none, .null: block = nil
    case .some(let value):
      let sizes = value.array?.compactMap(\.integer) ?? []
      guard sizes.count == 2, sizes.allSatisfy({ (1...1 << 24).contains($0) }) else {
        throw section.error("weight_block_size is not two sizes")
      }
      block = (sizes[0], sizes[1])
    }
    weightType = try config.weightType()
    quantizesActivations = section.value("activation_scheme") != nil
  }

  /// Which layers are quantized their tensors say, so that lists of those that are not need no reading.
  func layer(
    _ name: String, isEmbedding: Bool, shape: [Int]?, in table: TensorTable
  ) throws(CheckpointError) -> (any StoredLayer)? {
    guard (table["\(name).weight"] ?? table[name])?.type == .float8 else { return nil }
    return try FP8Layer(name, self, shape: shape, in: table)
  }

  func layerNames(in table: TensorTable) -> [String] {
    table.entries.filter { $0.type == .float8 && $0.shape.count > 1 }.map {
      $0.name.hasSuffix(".weight") ? String($0.name.dropLast(7)) : $0.name
    }
  }

  func notes(on layers: [LayerName]) -> [String] {
    quantizesActivations
      ? ["activations are not quantized, as the checkpoint wants it: weights only"] : []
  }
}
