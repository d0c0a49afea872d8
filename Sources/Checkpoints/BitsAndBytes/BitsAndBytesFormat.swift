import Tensors
import JSON

/// Layers as bitsandbytes stores them: rows of 8-bit integers, or blocks of 4-bit codes.
struct BitsAndBytesFormat: QuantizationFormat {
  /// The type that 8-bit weights decode to; nil if config.json says none.
  let weightType: ElementType?
  let maker = "bitsandbytes"

  init(config: JSONFile) throws(CheckpointError) {
    weightType = try config.weightType()
  }

  func layer(
    _ name: String, isEmbedding: Bool, shape: [Int]?, in table: TensorTable
  ) throws(CheckpointError) -> (any StoredLayer)? {
    if table["\(name).SCB"] != nil {
      return try Int8Layer(name, weightType: weightType, shape: shape, in: table)
    }
    if table["\(name).weight.absmax"] != nil {
      return try BlockCodesLayer(name, shape: shape, in: table)
    }
    return nil
  }

  func layerNames(in table: TensorTable) -> [String] {
    table.prefixes(of: ".SCB") + table.prefixes(of: ".weight.absmax")
  }

  func notes(on layers: [LayerName]) -> [String] { [] }
}
