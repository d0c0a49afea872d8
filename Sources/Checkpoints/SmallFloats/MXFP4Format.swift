/// Stacks of experts in MXFP4 as gpt-oss stores them: `_blocks` and `_scales`.
struct MXFP4Format: QuantizationFormat {
  let maker = "MXFP4"

  func layer(
    _ name: String, isEmbedding: Bool, shape: [Int]?, in table: TensorTable
  ) throws(CheckpointError) -> (any StoredLayer)? {
    guard table["\(name)_blocks"] != nil else { return nil }
    return try MXFP4Layer(name, shape: shape, in: table)
  }

  func layerNames(in table: TensorTable) -> [String] { table.prefixes(of: "_blocks") }

  func notes(on layers: [LayerName]) -> [String] { [] }
}
