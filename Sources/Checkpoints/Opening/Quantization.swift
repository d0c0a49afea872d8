import JSON

/// How a checkpoint's layers are quantized, whoever did it.
struct Quantization: Sendable {
  private let format: any QuantizationFormat

  /// What `config` says of quantization; nil if that is nothing.
  ///
  /// - Parameters:
  ///   - config: config.json.
  ///   - beside: quantize_config.json, which AutoGPTQ wrote before transformers had a place for it.
  /// - Throws: ``CheckpointError`` naming a method that is not read.
  init?(config: JSONFile, beside: JSONFile? = nil) throws(CheckpointError) {
    let whole = [config, try config.section("text_config")].compactMap(\.self)
    for config in whole {
      guard let section = try config.section("quantization_config") else { continue }
      if let method = try section.text("quant_method") {
        format = try Self.format(method, section, config: config)
        return
      }
      // MLX repeats its own section here, for the Hub's sake.
      guard config.root["quantization"] == nil else { continue }
      format = try Self.unnamed(section, config: config)
      return
    }
    for config in whole {
      guard let section = try config.section("quantization") else { continue }
      format = try MLXFormat(section)
      return
    }
    guard let beside else { return nil }
    format = try GPTQFormat(beside)
  }

  private static func format(
    _ method: String, _ section: JSONFile, config: JSONFile
  ) throws(CheckpointError) -> any QuantizationFormat {
    switch method {
    case "compressed-tensors": return try QuantizationConfig(section)
    case "gptq": return try GPTQFormat(section)
    case "awq": return try AWQFormat(section)
    case "fp8", "fbgemm_fp8": return try FP8Format(section, config: config)
    case "mxfp4": return MXFP4Format()
    case "bitsandbytes": return try BitsAndBytesFormat(config: config)
    default:
      throw config.error(
        "is quantized by \(method), which is not read",
        hint: "open the model that it was made from, or one quantized by compressed-tensors, GPTQ, "
          + "AWQ, FP8, MXFP4, bitsandbytes or MLX")
    }
  }

  /// The format of a section that names no method, as old bitsandbytes models and MLX have it.
  private static func unnamed(
    _ section: JSONFile, config: JSONFile
  ) throws(CheckpointError) -> any QuantizationFormat {
    let keys = section.root.members.map(\.name)
    if keys.contains(where: ["load_in_8bit", "load_in_4bit"].contains) {
      return try BitsAndBytesFormat(config: config)
    }
    if keys.contains("group_size"), keys.contains("bits") { return try MLXFormat(section) }
    throw config.error(
      "has a quantization_config without a quant_method",
      hint: "open the model that it was made from")
  }

  /// Who quantized the checkpoint, and with which version if that is known.
  var quantizedBy: String { format.maker }

  /// The layer called `name`; nil if it is not quantized.
  ///
  /// - Parameters:
  ///   - name: Its Hugging Face name without `.weight`.
  ///   - isEmbedding: Whether it is looked up rather than multiplied with.
  ///   - shape: Sizes, the last of them the columns, that its tensors must make; nil takes what they make, so that
  ///     checkpoints of unknown architectures open.
  ///   - table: The tensors of the checkpoint.
  /// - Returns: The layer, checked but not yet read.
  /// - Throws: ``CheckpointError`` naming the tensor that is missing or does not fit.
  func layer(
    _ name: String, isEmbedding: Bool, shape: [Int]?, in table: TensorTable
  ) throws(CheckpointError) -> (any StoredLayer)? {
    try format.layer(name, isEmbedding: isEmbedding, shape: shape, in: table)
  }

  /// The names of all layers that the tensors of a checkpoint make, in their order.
  func layerNames(in table: TensorTable) -> [String] { format.layerNames(in: table) }

  /// Who quantized, what Vise leaves out of what the configuration says, and what other readers would read differently.
  func notes(on layers: [LayerName]) -> [String] {
    let isOwn = format is QuantizationConfig
    return (isOwn ? [] : ["quantized by others: \(quantizedBy)"]) + format.notes(on: layers)
  }
}

extension Quantization {
  /// How tensors of quantized layers end, and who stores such.
  private static let signs: [(suffix: String, maker: String)] = [
    (".qweight", "GPTQ or AWQ"), (".qzeros", "GPTQ or AWQ"), (".weight_scale_inv", "FP8"),
    (".SCB", "bitsandbytes"), (".weight.absmax", "bitsandbytes"),
    (".weight_packed", "compressed-tensors"), (".weight_scale", "compressed-tensors or FP8"),
    ("_blocks", "MXFP4"), (".scales", "GPTQ, AWQ or MLX"),
  ]

  /// The error of a layer whose tensors are quantized in a way that config.json does not explain; nil if they are not.
  static func unexplained(layer: String, in table: TensorTable) -> CheckpointError? {
    signs.lazy.compactMap { sign in
      table[layer + sign.suffix].map { entry in
        CheckpointError(
          file: table.files[entry.file], tensor: entry.name,
          reason: "belongs to a layer that is quantized as \(sign.maker) does it, but config.json "
            + "says nothing of how",
          hint: "get the config.json that belongs to these weights, with its quantization_config")
      }
    }.first
  }
}
