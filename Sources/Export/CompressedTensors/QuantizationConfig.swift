import Checkpoints
import Compression
import Tensors

/// What config.json says under `quantization_config`: which modules are stored how.
///
/// compressed-tensors and vLLM resolve overlapping groups differently, without any error. So each group names its
/// modules one by one: no name is in two groups, and none is that of a fused module. vLLM asks for every linear module, whose
/// name has to be in a group or among those ignored. transformers takes the group of all experts to be the one with a pattern
/// that mentions them, else the first, so one expert's name is spelled as a pattern for it.
struct QuantizationConfig: Sendable {
  /// Modules of one format, by the model's order.
  struct Group: Hashable, Sendable {
    let name: String
    let format: WeightFormat
    let modules: [String]
  }

  /// By name, which is also the order of their first modules.
  let groups: [Group]
  /// Linear modules that are not quantized.
  let ignored: [String]

  /// The first version of compressed-tensors that packs all widths densely; readers tell layouts apart by it.
  private static let version = "0.19.0"

  /// The groups of a model's layers; nil when none is quantized.
  ///
  /// - Parameters:
  ///   - layers: all of the model.
  ///   - others: the tensors that are no layers; among them are routers and the matrices of what stands beside the text model.
  ///   - tiesEmbeddings: whether the head is the embedding.
  ///   - target: who is to read it.
  init?(
    _ layers: [LayerEncoding], others: [OtherTensors.Entry], tiesEmbeddings: Bool,
    target: ExportTarget
  ) {
    var modules: [WeightFormat: [String]] = [:]
    var formats: [WeightFormat] = []
    for layer in layers where layer.format.isQuantized {
      if modules[layer.format] == nil { formats.append(layer.format) }
      var names = layer.modules.flatMap(\.readersNames)
      if target == .transformers, layer.shape.hasNumberedExperts {
        names[0] = "re:\(names[0].replacing(".", with: "\\."))$"
      }
      modules[layer.format, default: []].append(contentsOf: names)
    }
    guard !formats.isEmpty else { return nil }
    let digits = String(formats.count - 1).count
    groups = formats.enumerated().map { number, format in
      let padding = String(repeating: "0", count: digits - String(number).count)
      return Group(
        name: "group_\(padding)\(number)", format: format, modules: modules[format] ?? [])
    }
    let kept = layers.filter { !$0.format.isQuantized && !$0.shape.isEmbedding }
    let linear = others.compactMap(\.linearModule)
    ignored =
      (kept.flatMap(\.modules) + linear).flatMap(\.readersNames)
      + (tiesEmbeddings ? ["lm_head"] : [])
  }

  var json: JSONValue {
    let names = Set(groups.compactMap(\.format.name))
    let format = names.count == 1 ? names.first : nil
    let members = groups.map { JSONObject.Member(name: $0.name, value: $0.json) }
    return [
      "config_groups": .object(JSONObject(members: members)),
      "format": .string(format ?? "mixed-precision"),
      "global_compression_ratio": .null,
      "ignore": .array(ignored.map { .string($0) }),
      "kv_cache_scheme": .null,
      "quant_method": "compressed-tensors",
      "quantization_status": "compressed",
      "sparsity_config": [:],
      "transform_config": [:],
      "version": .string(Self.version),
    ]
  }
}

extension OtherTensors.Entry {
  /// The module whose weight a matrix is, which may be a linear one.
  fileprivate var linearModule: String? {
    let suffix = ".weight"
    guard shape.count == 2, name.hasSuffix(suffix) else { return nil }
    return String(name.dropLast(suffix.count))
  }
}

extension String {
  /// A module's name in the files and, where they differ, those that readers know it by.
  ///
  /// transformers 5 renamed the parts of models for images, of Mamba's and GPT-NeoX's, and keeps the files' names. vLLM asks for experts by
  /// the words of Llama's MLP. Source: `conversion_mapping.py` of transformers 5.24, `get_moe_method` of vLLM 0.32.
  fileprivate var readersNames: [String] {
    var names = [self]
    let parts = [
      ("language_model.model.", "model.language_model."), ("language_model.lm_head", "lm_head"),
      // The text model alone, which AutoModelForCausalLM makes of a model for images too.
      ("model.language_model.", "model."),
      ("backbone.", "model."), ("embed_out", "lm_head"),
    ]
    for (own, readers) in parts where hasPrefix(own) {
      names.append(readers + dropFirst(own.count))
    }
    let experts = [("w1", "gate_proj"), ("w2", "down_proj"), ("w3", "up_proj")]
    for (own, readers) in experts where contains(".experts.") && hasSuffix(".\(own)") {
      names.append(dropLast(own.count) + readers)
    }
    return names
  }
}

extension QuantizationConfig.Group {
  fileprivate var json: JSONValue {
    [
      "format": format.name.map { .string($0) } ?? .null,
      "input_activations": inputs,
      "output_activations": .null,
      "targets": .array(modules.map { .string($0) }),
      "weights": weights,
    ]
  }

  private var weights: JSONValue {
    switch format {
    case .dense: .null
    case .packed(let bits, let group, let isSymmetric):
      Self.integers(bits: bits, group: group, isSymmetric: isSymmetric)
    case .bytesWithRoundedInputs: Self.integers(bits: 8, group: .channel, isSymmetric: true)
    case .floats(let format): Self.floats(format)
    }
  }

  private var inputs: JSONValue {
    guard case .bytesWithRoundedInputs = format else { return .null }
    return [
      "dynamic": true, "group_size": .null, "num_bits": 8, "strategy": "token", "symmetric": true,
      "type": "int",
    ]
  }

  private static func integers(bits: Int, group: GroupSize, isSymmetric: Bool) -> JSONValue {
    let (size, strategy): (JSONValue, JSONValue) =
      switch group {
      case .channel: (.null, "channel")
      case .size(let size): (.integer(size), "group")
      }
    return [
      "dynamic": false, "group_size": size, "num_bits": .integer(bits), "strategy": strategy,
      "symmetric": .bool(isSymmetric), "type": "int",
    ]
  }

  private static func floats(_ format: FloatFormat) -> JSONValue {
    var members: [JSONObject.Member] = [
      JSONObject.Member(name: "dynamic", value: false),
      JSONObject.Member(name: "num_bits", value: .integer(format.bits)),
      JSONObject.Member(name: "symmetric", value: true),
      JSONObject.Member(name: "type", value: "float"),
    ]
    func add(_ name: String, _ value: JSONValue) {
      members.append(JSONObject.Member(name: name, value: value))
    }
    switch format {
    case .fp8: add("strategy", "channel")
    case .fp8Block:
      add("strategy", "block")
      add("block_structure", [.integer(format.rowsAScale), .integer(format.groupSize ?? 0)])
    case .nvfp4:
      add("strategy", "tensor_group")
      add("group_size", .integer(16))
      add("scale_dtype", "torch.float8_e4m3fn")
    case .mxfp4:
      add("strategy", "group")
      add("group_size", .integer(32))
      add("scale_dtype", "torch.uint8")
    }
    return .object(JSONObject(members: members.sorted { $0.name < $1.name }))
  }
}
