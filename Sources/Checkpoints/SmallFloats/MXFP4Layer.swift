import Tensors

/// E2M1 codes in groups of 32 whose scales are powers of two, for one or more experts.
///
/// `_blocks` is (experts, rows, groups, 16) bytes, of which each holds two codes, the even column's in its lower half;
/// `_scales` is (experts, rows, groups) exponents with a bias of 127.
struct MXFP4Layer: StoredLayer {
  let name: String
  let rows: Int
  let columns: Int
  let parts: LayerParts
  /// As transformers decodes them.
  let type = ElementType.bfloat16
  let scheme = WeightFormat.mxfp4

  private static let bytesAGroup = 16

  /// Finds the tensors of a layer and checks their types and shapes.
  ///
  /// The last of the sizes in `shape` are the columns, which transformers' gpt-oss, whose weights are transposed, has first.
  init(_ name: String, shape: [Int]?, in table: TensorTable) throws(CheckpointError) {
    self.name = name
    parts = LayerParts(
      of: name, names: ["blocks": "\(name)_blocks", "scales": "\(name)_scales"], in: table)
    let blocks = try parts.required("blocks", ["U8"])
    guard blocks.shape.count >= 3, blocks.shape.last == Self.bytesAGroup else {
      throw parts.error("blocks", "is \(blocks.shape), whose last size is not \(Self.bytesAGroup)")
    }
    columns = blocks.shape[blocks.shape.count - 2] * Self.bytesAGroup * 2
    rows = blocks.shape.dropLast(2).reduce(1, *)
    try parts.check("blocks", rows: rows, columns: columns, against: shape)
    try parts.check("scales", "U8", blocks.shape.dropLast())
  }

  var heldFormat: WeightFormat? { .mxfp4 }

  func weights() -> LayerWeights {
    .floats(
      FloatMatrix(
        rows: rows, columns: columns, format: .mxfp4,
        codes: parts.elements(of: "blocks", as: UInt8.self),
        scales: parts.elements(of: "scales", as: UInt8.self).map { UInt16($0) }, type: type))
  }
}
