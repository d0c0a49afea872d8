import JSON

/// Layers as AutoAWQ and GPTQModel store them: config.json's `quantization_config`.
struct AWQFormat: QuantizationFormat {
  /// Which way codes are packed.
  enum Packing: String, Sendable {
    /// Along rows of output channels, in an order of its own.
    case gemm
    /// Along rows of input channels, in order.
    case gemv
  }

  /// AutoAWQ has 4 only.
  let bits: Int
  /// Weights of a row that share a scale; nil for all of them.
  let groupSize: Int?
  let packing: Packing
  let maker: String

  init(_ section: JSONFile) throws(CheckpointError) {
    bits = try section.size(section.value("bits") == nil ? "w_bit" : "bits", standard: 4)
    groupSize = try section.groupSize()
    let name = try section.text(ofFirst: ["version", "format"])?.lowercased() ?? "gemm"
    guard let packing = Packing(rawValue: name) else {
      throw section.error(
        "packs AWQ's codes as \"\(name)\", which is not read",
        hint: "this version reads gemm and gemv")
    }
    guard bits == 4 || packing == .gemm && (2...8).contains(bits) else {
      throw section.error("is AWQ with \(bits) bits, which \(name) has not")
    }
    self.packing = packing
    maker = try section.maker("AWQ")
  }

  func layer(
    _ name: String, isEmbedding: Bool, shape: [Int]?, in table: TensorTable
  ) throws(CheckpointError) -> (any StoredLayer)? {
    guard table["\(name).qweight"] != nil else { return nil }
    return try AWQLayer(name, self, shape: shape, in: table)
  }

  func layerNames(in table: TensorTable) -> [String] { table.prefixes(of: ".qweight") }

  func notes(on layers: [LayerName]) -> [String] {
    // vLLM's kernels undo an order of 0, 2, 1, 3 that GPTQModel does not make.
    bits == 8
      ? ["AWQ's codes of 8 bits are read in GPTQModel's order, which vLLM expects otherwise"] : []
  }
}
