import JSON

/// Which architecture a checkpoint has, and how its settings make a model of it.
extension CheckpointContents {
  /// A model that runs.
  struct Running {
    let architecture: Architecture
    let blueprint: Blueprint
    /// What its settings say and are not taken for: a sentence each.
    let notes: [String]
  }

  /// The architecture and its blueprint.
  ///
  /// - Throws: ``CheckpointError`` when the architecture does not run, or a setting is missing or makes no sense.
  func running() throws(CheckpointError) -> Running {
    switch source {
    case .gguf(let header): return try running(header)
    case .directory(let directory):
      guard let config else {
        throw CheckpointError(
          file: directory.path,
          reason: "holds no config.json, so that nothing is known of how it computes",
          hint: "put the model's config.json beside its weights")
      }
      return try running(config)
    }
  }

  private func running(_ header: GGUFHeader) throws(CheckpointError) -> Running {
    guard let name = try header.text("general.architecture") else {
      throw header.error("does not say which architecture it has")
    }
    let experts = header.value("\(name).expert_count")
    let hasExperts = experts != nil && experts != .integer(0)
    let bias = Part.choiceBias
    let hasChoiceBias = table.entries.contains {
      $0.name.hasSuffix(".\(bias.ggufName)\(bias.suffix.gguf)")
    }
    guard
      let architecture = Architecture.ofGGUF(
        name, hasExperts: hasExperts, hasChoiceBias: hasChoiceBias)
    else {
      throw unsupported(name, header)
    }
    let review = GGUFReview(architecture: architecture, header: header)
    try review.refuseOthers()
    let settings = ModelSettings(
      gguf: header, name: name, standards: architecture.ggufStandards)
    let reader = BlueprintReader(
      architecture, settings, tensors: table, names: (prefix: "model.", head: "lm_head"))
    return Running(
      architecture: architecture, blueprint: try reader.blueprint(), notes: review.notes())
  }

  private func running(_ config: JSONFile) throws(CheckpointError) -> Running {
    let text = try config.text
    let outer = try config.text("model_type")
    guard let type = try text.text("model_type") ?? outer else {
      throw config.error("does not say which architecture it has (model_type)")
    }
    guard let architecture = Architecture.ofConfig(type) else {
      throw unsupported(type, config)
    }
    let review = ConfigReview(architecture: architecture, config: text)
    try review.refuseOthers()
    let reader = BlueprintReader(
      architecture, ModelSettings(config: text, standards: architecture.standards),
      tensors: table, names: try names(architecture, config))
    let blueprint = try reader.blueprint()
    var notes = try review.notes()
    if !blueprint.tiesEmbeddings,
      try text.flag("tie_word_embeddings") ?? architecture.tiesByStandard
    {
      notes.append(
        "config.json ties the LM head to the embedding, but another one is stored: the stored one is used and exported, as "
          + "in transformers")
    }
    if case .directory(let directory) = source,
      let generation = try? directory.json("generation_config.json"),
      let note = GenerationKeys.note(on: generation)
    {
      notes.append(note)
    }
    return Running(architecture: architecture, blueprint: blueprint, notes: notes)
  }

  private func unsupported(_ name: String, _ settings: some Settings) -> CheckpointError {
    settings.error("the architecture \"\(name)\" does not run yet")
  }

  /// What precedes the decoder's tensors, which a model for images has in one of its parts.
  private func names(
    _ architecture: Architecture, _ config: JSONFile
  ) throws(CheckpointError) -> (prefix: String, head: String) {
    let embedding = architecture.name(of: .embedding)
    let places = [
      (prefix: "model.", head: "lm_head"),
      (prefix: "language_model.model.", head: "language_model.lm_head"),
      (prefix: "model.language_model.", head: "lm_head"),
      (prefix: "", head: "lm_head"),
    ]
    let found = places.first { place in
      table.entries.contains { $0.name.hasPrefix("\(place.prefix)\(embedding).") }
    }
    guard let found else {
      throw CheckpointError(
        file: table.name, tensor: "model.\(embedding).weight", reason: "is missing",
        hint: "get the complete model from its source")
    }
    return found
  }

  /// What is to be said of tensors that the architecture has no use for.
  ///
  /// - Throws: ``CheckpointError`` in GGUF, where llama.cpp refuses such models, too.
  func notes(
    onUnused kept: [TensorEntry], of architecture: Architecture, _ blueprint: Blueprint
  ) throws(CheckpointError) -> [String] {
    let strangers = kept.filter { entry in
      switch format {
      case .gguf: !entry.name.hasPrefix("rope_f") && !blueprint.isOfFurtherBlock(entry.name)
      case .huggingFace:
        entry.name.hasPrefix("\(blueprint.prefix)layers.") && !entry.name.hasSuffix("inv_freq")
          && !isOfCache(entry)
      }
    }
    let others = strangers.filter { !Self.isOfSharedCache($0, blueprint) }
    if format == .gguf, let stranger = others.first {
      throw CheckpointError(
        file: table.files[stranger.file], tensor: stranger.name,
        reason: "is no part of the architecture \(architecture.name) as it is known")
    }
    var notes: [String] = []
    if let first = strangers.first {
      notes.append(
        "\(strangers.count) tensors are no part of the architecture \(architecture.name) with these "
          + "settings, such as \(first.name): they are kept and not computed with, as transformers does"
      )
    }
    let beside = kept.count - strangers.count
    let isBeside = format == .huggingFace && blueprint.prefix != "model."
    if beside > 0, isBeside || blueprint.furtherBlocks > 0 {
      notes.append("\(beside) tensors beside the text model are kept as they are")
    }
    return notes
  }

  /// Whether a tensor makes keys or values in a block of GGUF that reads those of another: files may have some, which llama.cpp
  /// leaves out too.
  private static func isOfSharedCache(_ entry: TensorEntry, _ blueprint: Blueprint) -> Bool {
    let parts: [Part] = [.key, .value, .keyNorm]
    return blueprint.blocks.indices.contains { block in
      blueprint.blocks[block].attention?.cacheBlock != nil
        && parts.contains { entry.name == "blk.\(block).\($0.ggufName).weight" }
    }
  }

  /// Whether a tensor scales cached keys and values, which are not quantized here.
  private func isOfCache(_ entry: TensorEntry) -> Bool {
    let parts = [
      "q_scale", "k_scale", "v_scale", "q_zero_point", "k_zero_point", "v_zero_point",
    ]
    return quantization != nil && parts.contains { entry.name.hasSuffix(".self_attn.\($0)") }
  }

  func quantizationNotes(on layers: [LayerDescription]) -> [String] {
    quantization?.notes(
      on: layers.map { LayerName(name: $0.name, isEmbedding: $0.role.isEmbedding) }) ?? []
  }
}

extension JSONFile {
  /// The settings of the text model: of the whole, or of a part of a model for images.
  var text: JSONFile {
    get throws(CheckpointError) {
      guard let text = try section("text_config") else { return self }
      let key = "tie_word_embeddings"
      guard text.root[key] == nil, let tied = root[key] else { return text }
      var members = text.root
      members[key] = tied
      return JSONFile(file: file, root: members)
    }
  }
}

extension Blueprint {
  /// Whether a GGUF tensor is of a block after the decoder's, which predicts further tokens.
  fileprivate func isOfFurtherBlock(_ name: String) -> Bool {
    let parts = name.split(separator: ".", maxSplits: 2)
    guard parts.first == "blk", parts.count == 3, let block = Int(parts[1]) else { return false }
    return (blocks.count..<blocks.count + furtherBlocks).contains(block)
  }
}
