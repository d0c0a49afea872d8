import JSON

/// Layers as AutoGPTQ and GPTQModel store them: config.json's `quantization_config`, or quantize_config.json.
struct GPTQFormat: QuantizationFormat {
  /// How zero points are stored.
  enum ZeroStorage: Sendable {
    /// Less one, word by word: the format that AutoGPTQ began with.
    case lessOne
    /// As they are: GPTQModel's `gptq_v2`.
    case plain
  }

  /// Of the layers that no rule of their own changes; the tensors of each tell its own.
  let bits: Int
  /// Weights of a row that share a scale; nil for all of them.
  let groupSize: Int?
  let zeroStorage: ZeroStorage
  let maker: String

  init(_ section: JSONFile) throws(CheckpointError) {
    bits = try section.size("bits", standard: 4, limit: 8)
    groupSize = try section.groupSize()
    let format = try section.text(ofFirst: ["checkpoint_format", "format"]) ?? "gptq"
    switch format {
    case "gptq": zeroStorage = .lessOne
    case "gptq_v2": zeroStorage = .plain
    default:
      throw section.error(
        "stores GPTQ's codes in the format \"\(format)\", which is not read",
        hint: "this version reads gptq and gptq_v2")
    }
    maker = try section.maker("GPTQ")
  }

  func layer(
    _ name: String, isEmbedding: Bool, shape: [Int]?, in table: TensorTable
  ) throws(CheckpointError) -> (any StoredLayer)? {
    guard table["\(name).qweight"] != nil else { return nil }
    return try GPTQLayer(name, self, shape: shape, in: table)
  }

  func layerNames(in table: TensorTable) -> [String] { table.prefixes(of: ".qweight") }

  func notes(on layers: [LayerName]) -> [String] { [] }
}

extension JSONFile {
  /// A method and the program that quantized with it, where `meta` says so: a text or a list of texts.
  func maker(_ method: String) throws(CheckpointError) -> String {
    let value = try section("meta")?.root["quantizer"]
    let program = value?.string ?? value?.array?.first?.string
    return program.map { "\(method) (\($0))" } ?? method
  }

  /// Weights of a row that share a scale, 128 unless it is said; nil for all, which is spelled -1.
  func groupSize() throws(CheckpointError) -> Int? {
    let spelled = value("group_size") ?? value("q_group_size")
    if spelled == .integer(-1) { return nil }
    let key = value("group_size") == nil ? "q_group_size" : "group_size"
    return try size(key, standard: 128)
  }
}
