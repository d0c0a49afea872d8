extension QuantizationConfig {
  var maker: String { "compressed-tensors" + (version.map { " \($0)" } ?? "") }

  func layer(
    _ name: String, isEmbedding: Bool, shape: [Int]?, in table: TensorTable
  ) throws(CheckpointError) -> (any StoredLayer)? {
    guard let group = group(of: LayerName(name: name, isEmbedding: isEmbedding)),
      let format = group.format
    else { return nil }
    let made = shape == nil ? try storedShape(of: name, format, in: table) : []
    let sizes = shape ?? made
    guard sizes.count == 2 else {
      throw CheckpointError(
        file: table.name, tensor: name,
        reason: "has \(sizes.count) dimensions, where compressed-tensors quantizes matrices")
    }
    return try QuantizedLayer(
      name, rows: sizes[0], columns: sizes[1], format: format, packsDensely: packsDensely,
      in: table)
  }

  func layerNames(in table: TensorTable) -> [String] {
    table.prefixes(of: ".weight_scale")
  }

  /// The group of a layer as compressed-tensors finds it; nil if the layer is not quantized.
  ///
  /// Exact names come before regular expressions, these before classes, each in the order of their texts; of two groups
  /// with one target the later counts (compressed-tensors' `match_targets` and `apply_quantization_config`).
  func group(of layer: LayerName) -> QuantizationGroup? {
    guard !isIgnored(layer) else { return nil }
    // Exports may name each expert, so that targets are not gone through for each of them.
    if let group = groups.last(where: { $0.names.contains(layer.name) }) { return group }
    let matches = groups.flatMap { group in group.targets.map { (target: $0, group: group) } }
    let named = matches.filter { $0.target.matches(name: layer.name) }
    let candidates = named.isEmpty ? matches.filter { $0.target.matchesClass(of: layer) } : named
    // Reversed, so that of equal targets that of the later group is found.
    return candidates.reversed().min { Self.precedes($0.target, $1.target) }?.group
  }

  private static func precedes(_ first: ModuleTarget, _ second: ModuleTarget) -> Bool {
    guard first.isPattern == second.isPattern else { return second.isPattern }
    return first.text.unicodeScalars.lexicographicallyPrecedes(second.text.unicodeScalars)
  }

  private func isIgnored(_ layer: LayerName) -> Bool {
    ignored.contains { $0.matches(name: layer.name) || $0.matchesClass(of: layer) }
  }

  func notes(on layers: [LayerName]) -> [String] {
    var notes: [String] = []
    let found = layers.map { (layer: $0, group: group(of: $0)) }
    if found.contains(where: { $0.group?.quantizesActivations == true }) {
      notes.append("activations are not quantized, as the checkpoint wants it: weights only")
    }
    if quantizesCache { notes.append("keys and values are not cached quantized") }
    let unlike = found.filter { layer, group in
      guard let group, let served = servedGroup(of: layer) else { return false }
      return group.format != served.format
    }
    if let first = unlike.first {
      notes.append(
        "targets of config_groups overlap: \(unlike.count) layers, such as \(first.layer.name), are "
          + "read as compressed-tensors reads them, but vLLM takes another group's scheme for them "
          + "and may compute with wrong weights; export the model again")
    }
    return notes
  }

  /// The group that vLLM takes for a layer: that of the first target, in the order of the file, with the layer's name
  /// or that of the layer into which it fuses this one, else of the first class.
  ///
  /// vLLM's `find_matched_target`; it refuses layers that it fuses if they have targets with unlike schemes.
  private func servedGroup(of layer: LayerName) -> QuantizationGroup? {
    let role = layer.name.split(separator: ".").last.map(String.init) ?? ""
    let parent = layer.name.dropLast(role.count)
    func first(_ name: String) -> QuantizationGroup? {
      groups.first { $0.targets.contains { $0.matches(name: name) } }
    }
    let ofClass = groups.first { $0.targets.contains { $0.matchesClass(of: layer) } }
    guard let fused = Self.fused(role) else { return first(layer.name) ?? ofClass }
    let isMatched = fused.parts.allSatisfy { first(parent + $0) != nil }
    return first(parent + fused.name) ?? (isMatched ? first(layer.name) : nil) ?? ofClass
  }

  /// The layer into which vLLM fuses one that plays this role, and its parts.
  private static func fused(_ role: String) -> (name: String, parts: [String])? {
    switch role {
    case "q_proj", "k_proj", "v_proj": ("qkv_proj", ["q_proj", "k_proj", "v_proj"])
    case "gate_proj", "up_proj": ("gate_up_proj", ["gate_proj", "up_proj"])
    default: nil
    }
  }
}
