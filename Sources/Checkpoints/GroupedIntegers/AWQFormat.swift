/// Layers as AutoAWQ stores them: config.json's `quantization_config`.
struct AWQFormat: QuantizationFormat {
  /// Which way codes are packed.
  enum Packing: String, Sendable {
    /// Along rows of output channels, in an order of its own.
    case gemm
    /// Along rows of input channels, in order.
    case gemv
  }

  /// Weights of a row that share a scale; nil for all of them.
  let groupSize: Int?
  let packing: Packing
  let maker = "AWQ"

  init(_ section: JSONFile) throws(CheckpointError) {
    let bits = try section.size(section.value("bits") == nil ? "w_bit" : "bits", standard: 4)
    guard bits == 4 else {
      throw section.error("is AWQ with \(bits) bits, where AutoAWQ packs 4")
    }
    groupSize = try section.groupSize()
    let name = try section.text(ofFirst: ["version", "format"])?.lowercased() ?? "gemm"
    guard let packing = Packing(rawValue: name) else {
      throw section.error(
        "packs AWQ's codes as \"\(name)\", which is not read",
        hint: "this version reads gemm and gemv")
    }
    self.packing = packing
  }

  func layer(
    _ name: String, isEmbedding: Bool, shape: [Int]?, in table: TensorTable
  ) throws(CheckpointError) -> (any StoredLayer)? {
    guard table["\(name).qweight"] != nil else { return nil }
    return try AWQLayer(name, self, shape: shape, in: table)
  }

  func layerNames(in table: TensorTable) -> [String] { table.prefixes(of: ".qweight") }

  func notes(on layers: [LayerName]) -> [String] { [] }
}
