import Checkpoints
import Compression
import Tensors
import JSON

/// What config.json says under `quantization_config`: which modules are stored how.
///
/// compressed-tensors and vLLM resolve overlapping groups differently, without any error. So each group names its
/// modules one by one: no name is in two groups, and none is that of a fused module. vLLM asks for every linear module, whose
/// name has to be in a group or among those ignored. transformers takes the group of all experts to be the one with a pattern
/// that mentions them, else the first, so one expert's name is spelled as a pattern for it.
struct ModuleGroups: Sendable {
  /// By name, which is also the order of their first modules.
  let groups: [QuantizationConfig.Group]
  /// Linear modules that are not quantized.
  let ignored: [String]

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
    var modules: [ModuleFormat: [String]] = [:]
    var formats: [ModuleFormat] = []
    for layer in layers {
      guard let format = layer.format else { continue }
      if modules[format] == nil { formats.append(format) }
      var names = layer.modules.flatMap(\.readersNames)
      if target == .transformers, layer.shape.hasNumberedExperts {
        names[0] = "re:\(names[0].replacing(".", with: "\\."))$"
      }
      modules[format, default: []].append(contentsOf: names)
    }
    guard !formats.isEmpty else { return nil }
    let digits = String(formats.count - 1).count
    groups = formats.enumerated().map { number, format in
      let padding = String(repeating: "0", count: digits - String(number).count)
      return QuantizationConfig.Group(
        name: "group_\(padding)\(number)", format: format, modules: modules[format] ?? [])
    }
    let kept = layers.filter { $0.format == nil && !$0.shape.isEmbedding }
    let linear = others.compactMap(\.linearModule)
    ignored =
      (kept.flatMap(\.modules) + linear).flatMap(\.readersNames)
      + (tiesEmbeddings ? ["lm_head"] : [])
  }

  var json: JSONValue { QuantizationConfig.json(groups: groups, ignored: ignored) }
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
  /// transformers 5 renamed the parts of models for images, of Mamba's and GPT-NeoX's, and keeps the files' names. vLLM asks for
  /// experts by the words of Llama's MLP. Source: `conversion_mapping.py` of transformers 5.24, `get_moe_method` of vLLM 0.32.
  fileprivate var readersNames: [String] {
    var names = [self]
    let parts = [
      ("language_model.model.", "model.language_model."), ("language_model.lm_head", "lm_head"),
      // The text model alone, which AutoModelForCausalLM makes of a model for images too.
      ("model.language_model.", "model."), ("backbone.", "model."), ("embed_out", "lm_head"),
    ]
    for (own, readers) in parts where hasPrefix(own) {
      names.append(readers + dropFirst(own.count))
    }
    let experts = [("w1", "gate_proj"), ("w2", "down_proj"), ("w3", "up_proj")]
    for (own, readers) in experts where hasSuffix(".\(own)") && contains(".experts.") {
      names.append(dropLast(own.count) + readers)
    }
    return names
  }
}
