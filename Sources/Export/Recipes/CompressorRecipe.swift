import Compression
import Tensors

/// A plan as a recipe that llm-compressor's `oneshot` runs, each layer by its own name.
///
/// Source: llm-compressor 0.14 (`recipe/recipe.py` and the modifiers' fields).
public struct CompressorRecipe {
  /// Layers that AWQ scales together, and what takes their scales back.
  public struct Mapping: Hashable, Sendable {
    /// A norm or a layer, by its module's name.
    public let source: String
    public let readers: [String]

    public init(source: String, readers: [String]) {
      self.source = source
      self.readers = readers
    }
  }

  /// One modifier: its class and the lines of its arguments.
  private struct Modifier {
    let name: String
    let type: String
    let lines: [String]
  }

  private let layers: [(name: String, scheme: Scheme)]
  private let mappings: [Mapping]
  /// Whether the server rounds inputs of 8-bit layers to 8 bits.
  private let roundsInputs: Bool

  /// - Parameters:
  ///   - layers: in the model's order, such that ``CompressorLimits`` refuses none.
  ///   - mappings: of the layers whose method is AWQ.
  ///   - target: who is to load what the recipe makes.
  public init(
    layers: [(name: String, scheme: Scheme)], mappings: [Mapping] = [], target: ExportTarget
  ) {
    self.layers = layers
    self.mappings = mappings
    roundsInputs = target == .vllmCPU
  }

  /// Whether what it does needs a text to calibrate on.
  public var needsText: Bool {
    layers.contains { _, scheme in
      scheme.sparsity != nil || [.gptq, .awq].contains(scheme.quantization?.method)
    }
  }

  /// The recipe's file.
  public var yaml: String {
    var lines = ["vise_stage:"]
    for modifier in modifiers {
      lines += ["  \(modifier.name)_modifiers:", "    \(modifier.type):"]
      lines += modifier.lines.map { "      " + $0 }
    }
    // A stage without modifiers is read as no recipe at all.
    if modifiers.isEmpty { lines = ["# The plan keeps every layer: there is nothing to do."] }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Zeros first, then scales, then codes: each sees what those before have made.
  private var modifiers: [Modifier] {
    pruning + awq + quantizing(.rtn, "QuantizationModifier") + quantizing(.gptq, "GPTQModifier")
  }
}

extension CompressorRecipe {
  private var pruning: [Modifier] {
    [(PruningMethod.sparsegpt, "SparseGPTModifier"), (.wanda, "WandaPruningModifier")]
      .flatMap { method, type -> [Modifier] in
        let pruned = layers.filter { $0.scheme.sparsity?.method == method }
        let masks = Set(pruned.compactMap { $0.scheme.sparsity?.pattern.mask }).sorted()
        return masks.enumerated().map { number, mask in
          let alike = pruned.filter { $0.scheme.sparsity?.pattern.mask == mask }
          // One ratio a target, in the order in which the model has its modules.
          let ratios = alike.compactMap { $0.scheme.sparsity?.pattern.ratio }
          let ratio =
            Set(ratios).count == 1
            ? "\(ratios[0])" : "[\(ratios.map { "\($0)" }.joined(separator: ", "))]"
          return Modifier(
            name: "\(method.rawValue)_\(number)", type: type,
            lines: ["sparsity: \(ratio)", "mask_structure: \"\(mask)\""]
              + Self.targets(alike.map(\.name)))
        }
      }
  }

  private var awq: [Modifier] {
    guard !mappings.isEmpty else { return [] }
    let lines = mappings.flatMap { mapping in
      [
        "- smooth_layer: \(mapping.source)",
        "  balance_layers: [\(mapping.readers.joined(separator: ", "))]",
      ]
    }
    return [
      Modifier(
        name: "awq", type: "AWQModifier",
        lines: ["duo_scaling: true", "n_grid: 20", "mappings:"] + lines.map { "  " + $0 })
    ]
  }

  /// Integers and FP8 in groups of a configuration; formats with a preset by its name, for they have more settings.
  private func quantizing(_ method: QuantizationMethod, _ type: String) -> [Modifier] {
    // AWQ's codes are rounded to nearest once its scales are in the weights.
    let methods: [QuantizationMethod] = method == .rtn ? [.rtn, .awq] : [method]
    let chosen = layers.compactMap { name, scheme in
      scheme.quantization.flatMap { methods.contains($0.method) ? (name: name, scheme: $0) : nil }
    }
    let settings = method == .gptq ? ["dampening_frac: 0.01", "block_size: 128"] : []
    var groups: [String: [String]] = [:]
    var presets: [String: [String]] = [:]
    var order: [String] = []
    for (name, scheme) in chosen {
      if let preset = scheme.float?.preset {
        presets[preset, default: []].append(name)
      } else {
        let key = group(of: scheme)
        if groups[key] == nil { order.append(key) }
        groups[key, default: []].append(name)
      }
    }
    var modifiers: [Modifier] = []
    if !order.isEmpty {
      let lines = order.enumerated().flatMap { number, key in
        ["  group_\(number):"] + Self.targets(groups[key] ?? []).map { "    " + $0 }
          + key.split(separator: "\n").map { "    " + $0 }
      }
      modifiers.append(
        Modifier(name: method.rawValue, type: type, lines: settings + ["config_groups:"] + lines))
    }
    modifiers += presets.sorted { $0.key < $1.key }.map { preset, names in
      Modifier(
        name: "\(method.rawValue)_\(preset.lowercased())", type: type,
        lines: settings + ["scheme: \(preset)"] + Self.targets(names))
    }
    return modifiers
  }

  /// A group's settings, a line each.
  private func group(of scheme: QuantizationScheme) -> String {
    var parts = ["num_bits: \(scheme.bits)", "type: \(scheme.float == nil ? "int" : "float")"]
    parts.append("symmetric: \(scheme.isSymmetric)")
    switch (scheme.float, scheme.group) {
    case (.fp8Block, _): parts += ["strategy: block", "block_structure: [128, 128]"]
    case (_, .channel): parts.append("strategy: channel")
    case (_, .size(let size)): parts += ["strategy: group", "group_size: \(size)"]
    }
    parts.append(
      "observer: \(scheme.range == .minMax ? "memoryless_minmax" : "memoryless_mse")")
    // Static order takes columns by what they read, and leaves groups where they are.
    if scheme.method == .gptq { parts.append("actorder: static") }
    var lines = ["weights: {\(parts.joined(separator: ", "))}"]
    if roundsInputs, scheme.bits == 8, scheme.float == nil {
      lines.append(
        "input_activations: {num_bits: 8, type: int, symmetric: true, strategy: token, "
          + "dynamic: true}")
    }
    return lines.joined(separator: "\n")
  }

  private static func targets(_ names: [String]) -> [String] {
    ["targets:"] + names.map { "  - \($0)" }
  }
}

extension SparsityPattern {
  /// As llm-compressor writes it: of how many how many become zero, `0:0` for anywhere.
  fileprivate var mask: String {
    switch self {
    case .unstructured: "0:0"
    case .structured(let kept, let of): "\(of - kept):\(of)"
    }
  }
}

extension FloatFormat {
  /// The preset for weights alone; nil where a group's settings say all.
  fileprivate var preset: String? {
    switch self {
    case .nvfp4: "NVFP4A16"
    case .mxfp4: "MXFP4A16"
    case .fp8, .fp8Block: nil
    }
  }
}
