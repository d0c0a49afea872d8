/// Makes a model's blueprint from its settings, as its architecture reads them.
struct BlueprintReader {
  let architecture: Architecture
  let settings: ModelSettings
  let tensors: TensorTable
  /// What precedes the decoder's names, and the head's name.
  let names: (prefix: String, head: String)

  /// Longest context that is believed, in tokens.
  static let contextLimit = 1 << 30
  /// Most blocks that are believed.
  static let blockLimit = 10_000

  init(
    _ architecture: Architecture, _ settings: ModelSettings, tensors: TensorTable,
    names: (prefix: String, head: String)
  ) {
    self.architecture = architecture
    self.settings = settings
    self.tensors = tensors
    self.names = names
  }

  /// - Throws: ``CheckpointError`` naming the setting that is missing, makes no sense, or is not honoured yet.
  func blueprint() throws(CheckpointError) -> Blueprint {
    let hiddenSize = try settings.size(.hiddenSize)
    let (blockCount, furtherBlocks) = try blockCounts()
    let latent = try LatentReader(settings, architecture, tensors: tensors)?.facts()
    let headReader = HeadReader(settings, architecture: architecture, hiddenSize: hiddenSize)
    let others = try otherMixers(blockCount: blockCount, hiddenSize: hiddenSize)
    let window = try WindowReader(settings, architecture: architecture)
    let ropes =
      if let latent {
        try RopeReader(settings, architecture: architecture, tensors: tensors).ropes(
          headSize: latent.facts.turnedSize, localHeadSize: latent.facts.turnedSize)
      } else {
        try self.ropes(of: headReader, attending: others.indices.filter { others[$0] == nil }) {
          block throws(CheckpointError) in
          try window.window(ofBlock: block, of: blockCount, turns: turns(block)) != nil
        }
      }
    let residualScale =
      architecture.hasMultipliers ? try settings.number(.residualScale, standard: 1) : 1
    let sharing = try sharingBlocks(of: blockCount)
    let growth = try queryGrowth(ropes: ropes)
    /// What a block without another mixer has.
    func attention(_ block: Int, after blocks: [BlockFacts]) throws(CheckpointError)
      -> AttentionFacts
    {
      let turns = try turns(block)
      let sees = try window.window(ofBlock: block, of: blockCount, turns: turns)
      let heads =
        if let latent {
          HeadReader.Heads(
            count: latent.headCount, keyCount: latent.headCount, size: latent.headSize)
        } else {
          try headReader.heads(ofBlock: block, isGlobal: sees == nil)
        }
      let (scale, softcap): (Float, Float?) =
        if let latent { (latent.scale, nil) } else { try scores(headSize: heads.size) }
      var attention = AttentionFacts(
        headCount: heads.count, keyValueHeadCount: heads.keyCount, headSize: heads.size,
        scale: scale, softcap: softcap, window: sees,
        rope: turns ? architecture.hasLocalRope && sees != nil ? 1 : 0 : nil,
        queryKeyNorm: try queryKeyNorm(ofBlock: block), isFused: architecture.fusesAttention,
        queryGrowth: growth, hasSinks: architecture.hasSinks,
        normalizesValues: architecture.normalizesValues, isGated: architecture.gatesAttention,
        latent: latent?.facts)
      if let rope = attention.rope, 2 * ropes[rope].pairCount > attention.headSize {
        throw settings.error(
          "RoPE turns \(2 * ropes[rope].pairCount) values of heads of \(attention.headSize); partial_rotary_factor, "
            + "layer_types, sliding_window and head_dim do not fit each other")
      }
      if sharing.contains(block) {
        attention.cacheBlock = try cacheBlock(of: attention, in: blocks[..<sharing.lowerBound])
      }
      attention.keysAreValues = try keysAreValues(in: attention, ofBlock: block)
      return attention
    }
    var blocks: [BlockFacts] = []
    for (block, other) in others.enumerated() {
      let mixer =
        if let other { other } else { MixerFacts.attention(try attention(block, after: blocks)) }
      let feedForward = try feedForward(
        ofBlock: block, isSharing: sharing.contains(block))
      blocks.append(
        BlockFacts(
          mixer: mixer, feedForward: feedForward,
          norms: architecture.norms, residualScale: Float(residualScale),
          biases: try biases(ofBlock: block, feedForward), hasOutputScale: hasOutputScale(block)))
    }
    return Blueprint(
      hiddenSize: hiddenSize, vocabularySize: try vocabularySize(),
      contextLength: try settings.size(.contextLength, standard: 2048, limit: Self.contextLimit),
      normEpsilon: try epsilon(), norm: architecture.norm,
      embeddingScale: try embeddingScale(hiddenSize: hiddenSize), logitScale: try logitScale(),
      logitSoftcap: try bound(.logitSoftcap, isKnown: architecture.boundsLogits), ropes: ropes,
      blocks: blocks, tiesEmbeddings: try tiesEmbeddings(), prefix: names.prefix,
      headName: names.head, perLayer: try perLayer(), furtherBlocks: furtherBlocks)
  }

  /// Blocks of the decoder, and those after them in a GGUF file that predict further tokens.
  private func blockCounts() throws(CheckpointError) -> (own: Int, further: Int) {
    let count = try settings.size(.blockCount, limit: Self.blockLimit)
    guard architecture.keepsFurtherBlocks,
      let further = try settings.optionalSize(SettingKey(gguf: "nextn_predict_layers"))
    else { return (count, 0) }
    guard further < count else {
      throw settings.error("\(further) of \(count) blocks predict further tokens")
    }
    return (count - further, further)
  }

  private func queryKeyNorm(ofBlock block: Int) throws(CheckpointError) -> QueryKeyNorm {
    guard let flag = architecture.queryKeyNormFlag else { return architecture.queryKeyNorm }
    let isOn =
      settings.gguf == nil
      ? try settings.flag(flag) : tensors["blk.\(block).\(Part.queryNorm.ggufName).weight"] != nil
    return isOn ? architecture.queryKeyNorm : .none
  }

  private func epsilon() throws(CheckpointError) -> Double {
    switch architecture.norm {
    case .rms:
      try settings.number(
        architecture.epsilonKey.map { SettingKey($0, gguf: SettingKey.rmsEpsilon.gguf) }
          ?? .rmsEpsilon, standard: settings.gguf == nil ? 1e-6 : nil)
    case .layer: try settings.number(.layerEpsilon)
    }
  }

  func vocabularySize() throws(CheckpointError) -> Int {
    let rows = settings.gguf == nil ? nil : tensors["token_embd.weight"]?.shape.first
    return try settings.size(.vocabularySize, standard: rows)
  }

  private func tiesEmbeddings() throws(CheckpointError) -> Bool {
    guard settings.gguf == nil else { return tensors["output.weight"] == nil }
    var isTied = try settings.flag(
      "tie_word_embeddings", standard: architecture.tiesByStandard)
    if architecture.hasConvolutions {
      isTied = try settings.flag("tie_embedding", standard: isTied)
    }
    // A stored head is used whatever the setting says, unless it repeats the embedding.
    let head = tensors["\(names.head).weight"]
    let embedding = tensors["\(names.prefix)\(architecture.name(of: .embedding)).weight"]
    return isTied && (head == nil || tensors.areAlike(head, embedding))
  }

  private func embeddingScale(hiddenSize: Int) throws(CheckpointError) -> Float {
    switch architecture.embeddingScale {
    case .none: 1
    case .rootOfHidden: Float(hiddenSize).squareRoot()
    case .setting: Float(try settings.number(.embeddingScale, standard: 1))
    }
  }

  private func logitScale() throws(CheckpointError) -> Float {
    guard architecture.hasMultipliers else { return 1 }
    return Float(1 / (try settings.number(.logitDivisor, standard: 1)))
  }

  private func scores(
    headSize: Int
  ) throws(CheckpointError) -> (scale: Float, softcap: Float?) {
    let softcap = try bound(.attentionSoftcap, isKnown: architecture.boundsScores)
    if let scale = architecture.scoreScale { return (scale, softcap) }
    if architecture.hasMultipliers, settings.has(.attentionScale) {
      return (Float(try settings.number(.attentionScale)), softcap)
    }
    if architecture.hasMultipliers, settings.gguf == nil { return (1, softcap) }
    guard let key = architecture.attentionScaleKey else {
      return (1 / Float(headSize).squareRoot(), softcap)
    }
    let size = SettingKey(key, gguf: nil)
    let divisor = try settings.number(size, standard: try ggufScaleSize(headSize: headSize))
    return (Float(1 / divisor.squareRoot()), softcap)
  }

  /// The bound of scores or logits; nil where there is none.
  private func bound(_ key: SettingKey, isKnown: Bool) throws(CheckpointError) -> Float? {
    guard isKnown, let value = try settings.optionalNumber(key) else { return nil }
    let bound = Float(value)
    guard bound > 0, bound.isFinite else {
      throw settings.error("\(key.config.first ?? "a bound") is \(value)")
    }
    return bound
  }

  private func ggufScaleSize(headSize: Int) throws(CheckpointError) -> Double {
    Double(
      architecture.scoreSizeInGGUF(
        blocks: try blockCounts().own,
        hiddenSize: try settings.size(.hiddenSize), headCount: try settings.size(.headCount),
        headSize: headSize))
  }

  private func queryGrowth(ropes: [RopeFacts]) throws(CheckpointError) -> QueryGrowth? {
    guard architecture.growsQueries else { return nil }
    var beta = try settings.optionalNumber(.queryGrowth)
    if let config = settings.config {
      guard let section = try RopeSections(config).whole else {
        throw config.error("rope_parameters is missing")
      }
      let key = "llama_4_scaling_beta"
      if let value = section.value(key) {
        beta = value == .integer(0) || value == .number(0) ? nil : try section.number(key)
      }
    }
    guard let beta else { return nil }
    guard case .yarn(let rule)? = ropes.first?.scaling else {
      throw settings.error(
        "queries grow with their position, but no original context length is given")
    }
    return QueryGrowth(beta: Float(beta), length: rule.originalLength)
  }

  /// Whether positions turn a block's queries and keys.
  private func turns(_ block: Int) throws(CheckpointError) -> Bool {
    if architecture.turnsBySetting {
      if let header = settings.gguf {
        return header.value("\(architecture.ggufName).rope.scaling.finetuned") != .bool(false)
      }
      return try settings.text("position_embedding_type") == "rope"
    }
    guard let interval = architecture.blockWithoutRope else { return true }
    if let list = try settings.list("no_rope_layers") {
      // One says that the block turns, whatever the setting's name says.
      guard list.indices.contains(block) else {
        throw settings.error("no_rope_layers has \(list.count) entries, too few for the blocks")
      }
      return list[block] != .integer(0)
    }
    let every = try settings.size(
      SettingKey("no_rope_layer_interval", gguf: nil), standard: interval)
    return (block + 1) % every != 0
  }

  private func biases(
    ofBlock block: Int, _ feedForward: FeedForwardFacts
  ) throws(CheckpointError) -> Set<String> {
    var parts: Set<Part> = []
    if settings.gguf != nil {
      let all: [Part] = [
        .query, .key, .value, .fusedAttention, .attentionOutput, .gate, .up, .fusedGateUp, .down,
        .router, .expertGate, .expertUp, .expertDown, .queryDown, .latent, .deltaConvolution,
        .mambaInputs, .deltaOutput,
      ]
      parts = Set(all.filter { tensors["blk.\(block).\($0.ggufName).bias"] != nil })
    } else {
      switch architecture.biases {
      case .always(let always): parts = always
      case .flagged(let flags, let standard):
        for (flag, flagged) in flags where try settings.flag(flag, standard: standard) {
          parts.formUnion(flagged)
        }
      }
      if case .experts = feedForward { parts.formUnion(architecture.expertBiases) }
    }
    return Set(parts.map(\.rawValue))
  }
}

extension BlueprintReader {
  private func feedForward(
    ofBlock block: Int, isSharing: Bool
  ) throws(CheckpointError) -> FeedForwardFacts {
    let activation = try activation()
    func dense(isGated: Bool, isFused: Bool = false) throws(CheckpointError) -> DenseFacts {
      DenseFacts(
        innerSize: try innerSize(ofBlock: block, isSharing: isSharing), activation: activation,
        isGated: isGated, isFused: isFused)
    }
    switch architecture.feedForward {
    case .gated: return .dense(try dense(isGated: true))
    case .fusedGated: return .dense(try dense(isGated: true, isFused: true))
    case .plain: return .dense(try dense(isGated: false))
    case .experts(let rule):
      guard try hasExperts(block: block, rule) else {
        return .dense(
          try dense(isGated: true, isFused: rule.fusesShared && settings.gguf == nil))
      }
      let reader = ExpertReader(
        settings, architecture, rule, tensors: tensors,
        isFused: (rule.isFused || hasFusedExperts) && holdsFused(block))
      var experts = try reader.experts(ofBlock: block, activation)
      if rule.standsBesideDense { experts.beside = try dense(isGated: true) }
      return .experts(experts)
    }
  }

  /// Whether the first block holds gates and ups as one tensor, in families of which some checkpoints do so.
  private var hasFusedExperts: Bool {
    let name = "\(names.prefix)layers.0.\(architecture.name(of: .expertGateUp))"
    return tensors[name] != nil || tensors[name + ".weight"] != nil
  }

  /// Whether a block of a mixture has experts: some are dense.
  private func hasExperts(
    block: Int, _ rule: Architecture.ExpertRule
  ) throws(CheckpointError) -> Bool {
    if settings.gguf != nil {
      return tensors["blk.\(block).\(Part.router.ggufName).weight"] != nil
    }
    if let flag = rule.flag { return try settings.flag(flag) }
    if rule.fusesShared { return try settings.optionalSize(.expertCount) != nil }
    if architecture.leadsDense {
      return block >= (try settings.optionalSize(.leadingDense) ?? 0)
    }
    let dense = try settings.list("mlp_only_layers") ?? []
    let step = try settings.size(SettingKey("decoder_sparse_step", gguf: nil), standard: 1)
    return !dense.contains(.integer(block)) && (block + 1) % step == 0
  }

  func activation() throws(CheckpointError) -> ActivationKind {
    for (key, fixed) in architecture.fixedNumbers.sorted(by: { $0.key < $1.key }) {
      let number = try settings.number(SettingKey(key, gguf: nil), standard: fixed)
      guard number == fixed else {
        throw settings.error("\(key) is \(number), and only \(fixed) is supported")
      }
    }
    guard settings.config != nil, let name = try settings.text(architecture.activation.key) else {
      return architecture.activation.standard
    }
    switch name {
    // The class of gpt-oss in transformers has its own form of it, whatever the setting says.
    case _ where architecture.activation.standard == .clampedSwiGLU: return .clampedSwiGLU
    case "silu", "swish": return .silu
    case "gelu_pytorch_tanh", "gelu_new", "gelu_fast": return .geluTanh
    case "gelu": return architecture.meansTanhByGELU ? .geluTanh : .gelu
    case "relu": return .relu
    default:
      throw settings.error(
        "\(architecture.activation.key) is \"\(name)\", which is not supported")
    }
  }
}
