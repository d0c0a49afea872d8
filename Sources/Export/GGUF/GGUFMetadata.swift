import Checkpoints

/// The metadata of a GGUF file that is put together, in the order of the file.
struct GGUFMetadata: Sendable {
  private(set) var fields: [GGUFFile.Field] = []
  /// What llama.cpp may take otherwise than the model means it: a sentence each.
  var notes: [String] = []

  /// The version of ggml's block types.
  static let quantizationVersion: UInt32 = 2

  /// What a GGUF file of the model says, but for how it is quantized.
  ///
  /// - Throws: ``CheckpointError`` when the checkpoint's settings or tokenizer cannot be read, or its architecture has no words in
  ///   GGUF.
  init(of checkpoint: Checkpoint) throws(CheckpointError) {
    switch checkpoint.source {
    case .gguf(let header): try self.init(carryingOver: header, for: checkpoint.description)
    case .directory(let directory): try self.init(of: checkpoint, in: directory)
    }
  }

  init(fields: [GGUFFile.Field] = []) {
    self.fields = fields
  }

  /// Replaces the value where it stands, or adds it.
  mutating func set(_ key: String, _ value: GGUFFile.Value) {
    if let place = fields.firstIndex(where: { $0.key == key }) {
      fields[place].value = value
    } else {
      fields.append(GGUFFile.Field(key, value))
    }
  }

  /// Sets a size of each block.
  mutating func set(_ key: String, sizes: [Int]) {
    set(key, .int32s(sizes.map { Int32(clamping: $0) }))
  }

  /// Sets a size of the model.
  mutating func set(_ key: String, _ size: Int) {
    set(key, .uint32(UInt32(clamping: size)))
  }
}

extension GGUFMetadata {
  /// Another GGUF file's metadata byte for byte, but for sizes that structured pruning changed.
  private init(
    carryingOver header: GGUFHeader, for model: ModelDescription
  ) throws(CheckpointError) {
    // The export is one file with the standard alignment, whatever its source was.
    fields = header.encodedMetadata.filter {
      $0.key != "general.alignment" && !$0.key.hasPrefix("split.")
    }
    var changes = false
    for size in model.ggufSizes {
      let given = header.value(size.key) ?? size.standard.map { .integer($0) }
      // Lists of sizes, one for each block, are of models whose blocks differ and are not pruned.
      guard given != .integer(size.value), given != .other else { continue }
      set(size.key, size.value)
      changes = true
    }
    if changes, let blueprint = model.blueprint,
      let architecture = Architecture.named(model.architecture), architecture.hasGlobalHeads
    {
      // Lists with something for each block are made anew.
      try setArchitecture(of: model, blueprint, architecture)
    }
    let label = "general.size_label"
    if changes, let blueprint = model.blueprint,
      blueprint.blocks.contains(where: { $0.delta != nil }),
      let architecture = Architecture.named(model.architecture)
    {
      set("\(architecture.ggufName).attention.recurrent_layers", blueprint.recurrentLayers)
    }
    if changes, let blueprint = model.blueprint,
      blueprint.blocks.contains(where: { $0.convolution != nil || $0.mamba != nil }),
      let architecture = Architecture.named(model.architecture)
    {
      set("\(architecture.ggufName).attention.head_count_kv", sizes: blueprint.keyHeadCounts)
    }
    if changes, header.value(label) != nil { set(label, .string(model.sizeLabel)) }
  }
}

extension ModelDescription {
  /// The sizes that structured pruning may change, with what readers take for granted where a key is missing.
  fileprivate var ggufSizes: [(key: String, value: Int, standard: Int?)] {
    guard let blueprint, let architecture = Architecture.named(architecture) else { return [] }
    let prefix = architecture.ggufName
    var counts = [
      ("\(prefix).block_count", blueprint.blocks.count + blueprint.furtherBlocks, Int?.none)
    ]
    if let experts = blueprint.experts {
      counts.append(("\(prefix).expert_count", experts.count, nil))
    }
    guard let block = blueprint.blocks.first, case .dense(let dense) = block.feedForward,
      let attention = block.attention, attention.latent == nil, !architecture.hasGlobalHeads
    else {
      return counts
    }
    let headSize = blueprint.hiddenSize / attention.headCount
    return counts + [
      ("\(prefix).feed_forward_length", dense.innerSize, nil),
      ("\(prefix).attention.head_count", attention.headCount, nil),
      ("\(prefix).attention.head_count_kv", attention.keyValueHeadCount, attention.headCount),
      ("\(prefix).attention.key_length", attention.headSize, headSize),
      ("\(prefix).attention.value_length", attention.headSize, headSize),
    ]
  }

  /// The number of parameters to two digits at least: `135M`, `1.2B`.
  var sizeLabel: String {
    let units: [(size: Double, suffix: String)] = [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K")]
    let count = Double(parameterCount)
    let unit = units.first { count > $0.size } ?? (1e3, "K")
    let scaled = count / unit.size
    guard scaled.rounded(.toNearestOrEven) < 10 else {
      return "\(Int(scaled.rounded(.toNearestOrEven)))\(unit.suffix)"
    }
    let tenths = Int((scaled * 10).rounded(.toNearestOrEven))
    return "\(tenths / 10).\(tenths % 10)\(unit.suffix)"
  }
}
