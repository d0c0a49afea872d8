import JSON

/// The config.json of a model that had none.
extension JSONObject {
  /// The facts that a config.json is made of.
  ///
  /// - Throws: ``CheckpointError`` when nothing is known of the architecture.
  package static func facts(
    of model: ModelDescription
  ) throws(CheckpointError) -> (Architecture, Blueprint) {
    if let blueprint = model.blueprint, let architecture = Architecture.named(model.architecture) {
      return (architecture, blueprint)
    }
    throw CheckpointError(
      file: model.path,
      reason: "has no config.json, and none can be made for it: "
        + (model.abilities.runningObstacle ?? "its architecture is not known"),
      hint: "export it as GGUF, or open the Hugging Face directory that it was made from")
  }

  /// - Throws: ``CheckpointError`` when config.json has no words for something.
  package static func config(
    of model: ModelDescription, _ special: SpecialTokens, quantization: JSONValue?
  ) throws(CheckpointError) -> JSONObject {
    let (architecture, blueprint) = try facts(of: model)
    guard !architecture.fusesExperts || blueprint.experts == nil else {
      let holds =
        blueprint.experts?.isFused == true
        ? "has all experts of a block in one tensor, as it is not written for \(architecture.className)"
        : "has gates and ups of experts apart, which \(architecture.className) wants as one tensor"
      throw CheckpointError(
        file: model.path, reason: holds,
        hint: "open the Hugging Face directory that it was made from")
    }
    guard !architecture.fusesShared else {
      throw CheckpointError(
        file: model.path,
        reason: "has gates and ups apart, which \(architecture.className) wants as one layer",
        hint: "open the Hugging Face directory that it was made from")
    }
    guard !architecture.hasLatentAttention else {
      throw CheckpointError(
        file: model.path,
        reason:
          "has keys and values of latent rows apart, which \(architecture.className) wants as one layer",
        hint: "open the Hugging Face directory that it was made from")
    }
    guard !architecture.fusesDelta else {
      throw CheckpointError(
        file: model.path,
        reason:
          "has layers of its linear blocks apart, which \(architecture.className) wants as one tensor",
        hint: "open the Hugging Face directory that it was made from")
    }
    var config = JSONObject(members: [])
    config["architectures"] = [.string(architecture.className)]
    config["model_type"] = .string(architecture.name)
    config["hidden_size"] = .integer(blueprint.hiddenSize)
    config["intermediate_size"] = .integer(
      blueprint.dense?.innerSize ?? blueprint.experts?.innerSize ?? blueprint.hiddenSize)
    config["max_position_embeddings"] = .integer(blueprint.contextLength)
    config["tie_word_embeddings"] = .bool(blueprint.tiesEmbeddings)
    config["torch_dtype"] = "float16"
    config["vocab_size"] = .integer(blueprint.vocabularySize)
    // Where there is none, transformers may take one that is no token of the model.
    config["pad_token_id"] = .null
    for member in special.ids { config[member.name] = member.value }
    for member in architecture.members(of: blueprint) { config[member.name] = member.value }
    config["head_dim"] = .integer(blueprint.attention?.headSize ?? 0)
    try config.setRope(of: blueprint, in: model, architecture)
    return config.describing(model, quantization: quantization)
  }

  /// How positions turn queries and keys, as version 5 of transformers has it, and for version 4 beside.
  private mutating func setRope(
    of blueprint: Blueprint, in model: ModelDescription, _ architecture: Architecture
  ) throws(CheckpointError) {
    guard let rope = blueprint.ropes.first else { return }
    let turned = blueprint.blocks.lazy.compactMap(\.attention).first { $0.rope == 0 }
    let headSize = (turned ?? blueprint.attention)?.headSize ?? rope.rotatedSize
    var parameters = JSONObject(members: [])
    parameters["rope_theta"] = .single(rope.theta)
    if rope.rotatedSize != headSize {
      parameters["partial_rotary_factor"] = JSONValue(
        Double(rope.rotatedSize) / Double(headSize))
    }
    let scaling = try rope.scaling.map { scaling throws(CheckpointError) in
      try scaling.members(of: rope, in: model)
    }
    parameters["rope_type"] = "default"
    for member in scaling ?? [] { parameters[member.name] = member.value }
    if let growth = blueprint.attention?.queryGrowth {
      parameters["llama_4_scaling_beta"] = .single(Double(growth.beta))
    } else if architecture.growsQueries {
      parameters["llama_4_scaling_beta"] = .single(0)
      parameters["original_max_position_embeddings"] = .integer(blueprint.contextLength)
    }
    if blueprint.ropes.count > 1 {
      let local: JSONValue = [
        "rope_theta": .single(blueprint.ropes[1].theta), "rope_type": "default",
      ]
      self["rope_parameters"] = [
        "full_attention": .object(parameters), "sliding_attention": local,
      ]
      // Families that came with version 5 know no other words.
      guard !architecture.hasGlobalHeads else { return }
      self["rope_local_base_freq"] = .single(blueprint.ropes[1].theta)
    } else {
      self["rope_parameters"] = .object(parameters)
    }
    self["rope_theta"] = .single(rope.theta)
    // transformers 5 takes this section for the whole where there is one.
    self["rope_scaling"] = scaling == nil ? .null : .object(parameters)
  }
}

extension Architecture {
  /// What its config.json says beside sizes that all have.
  fileprivate func members(of blueprint: Blueprint) -> [JSONObject.Member] {
    var members: [JSONObject.Member] = []
    func add(_ name: String, _ value: JSONValue) {
      members.append(JSONObject.Member(name: name, value: value))
    }
    guard let block = blueprint.blocks.first(where: { $0.attention != nil }),
      let attention = block.attention
    else { return [] }
    let epsilon = blueprint.norm == .rms ? epsilonKey ?? "rms_norm_eps" : "norm_epsilon"
    add(epsilon, .single(blueprint.normEpsilon))
    for (flag, parts) in biasFlags.sorted(by: { $0.key < $1.key }) {
      add(flag, .bool(!parts.isDisjoint(with: block.biases.map(Part.init(rawValue:)))))
    }
    if let key = attentionScaleKey {
      let size = 1 / (attention.scale * attention.scale)
      add(key, Int(exactly: size.rounded()).map { .integer($0) } ?? .single(Double(size)))
    }
    if let cap = attention.softcap { add("attn_logit_softcapping", .single(Double(cap))) }
    if let cap = blueprint.logitSoftcap { add("final_logit_softcapping", .single(Double(cap))) }
    if hasMultipliers {
      add("attention_multiplier", .single(Double(attention.scale)))
      add("embedding_multiplier", .single(Double(blueprint.embeddingScale)))
      add("residual_multiplier", .single(Double(block.residualScale)))
      add("logits_scaling", .single(Double(1 / blueprint.logitScale)))
    }
    let windows = blueprint.blocks.map { $0.attention?.window }
    add("sliding_window", windows.lazy.compactMap(\.self).first.map { .integer($0) } ?? .null)
    if switchesWindow, windows.contains(where: { $0 != nil }) {
      add("use_sliding_window", .bool(true))
    }
    if windows.contains(where: { $0 != nil }), windows.contains(nil) {
      add("layer_types", blueprint.layerTypes)
    }
    if let delta = blueprint.blocks.lazy.compactMap(\.delta).first {
      for (name, value) in delta.members { add(name, .integer(value)) }
      add("layer_types", blueprint.layerTypes)
    }
    if let convolution = blueprint.blocks.lazy.compactMap(\.convolution).first {
      add("conv_L_cache", .integer(convolution.taps))
      add("layer_types", blueprint.layerTypes)
    }
    if adjustsInnerSize { add("block_auto_adjust_ff_dim", .bool(false)) }
    if blueprint.blocks.contains(where: { $0.attention.map { $0.rope == nil } ?? false }) {
      add("no_rope_layers", blueprint.ropeLayers)
    }
    let dense = blueprint.blocks.indices.filter { blueprint.blocks[$0].isDense }
    if let flag = queryKeyNormFlag { add(flag, .bool(attention.queryKeyNorm != .none)) }
    if leadsDense {
      add(leadingDenseKey, .integer(dense.count))
    } else if !dense.isEmpty, dense.count < blueprint.blocks.count {
      add("mlp_only_layers", .array(dense.map { .integer($0) }))
    }
    if let activation = blueprint.experts?.activation ?? blueprint.dense?.activation {
      add(activationKey, .string(activation.configName))
    }
    if let experts = blueprint.experts {
      for (name, value) in expertMembers(of: experts) { add(name, value) }
    }
    for (name, value) in ownMembers(of: blueprint) { add(name, value) }
    return members
  }

  /// What it says of blocks that have heads of another kind, caches of others, or embeddings of their own.
  private func ownMembers(of blueprint: Blueprint) -> [(String, JSONValue)] {
    var members: [(String, JSONValue)] = []
    let attentions = blueprint.blocks.lazy.compactMap(\.attention)
    if hasGlobalHeads, let attention = attentions.first(where: { $0.window == nil }) {
      members += [
        ("global_head_dim", .integer(attention.headSize)),
        ("num_global_key_value_heads", .integer(attention.keyValueHeadCount)),
        ("attention_k_eq_v", .bool(attention.keysAreValues)),
      ]
    }
    if sharesCaches {
      let sizes = blueprint.blocks.compactMap(\.feedForward.dense?.innerSize)
      members += [
        ("num_kv_shared_layers", .integer(blueprint.sharingCount)),
        ("use_double_wide_mlp", .bool(Set(sizes).count > 1)),
      ]
    }
    if hasPerLayerEmbeddings {
      members.append(("hidden_size_per_layer_input", .integer(blueprint.perLayer?.size ?? 0)))
      if let facts = blueprint.perLayer {
        members.append(("vocab_size_per_layer_input", .integer(facts.vocabularySize)))
      }
    }
    if let flag = expertFlag { members.append((flag, .bool(blueprint.experts != nil))) }
    return members
  }

  private func expertMembers(of experts: ExpertFacts) -> [(String, JSONValue)] {
    var members: [(String, JSONValue)] = [
      (expertCountKey, .integer(experts.count)),
      ("num_experts_per_tok", .integer(experts.chosenCount)),
    ]
    if let flag = normalizingFlag {
      members.append((flag, .bool(experts.router.isOfChosen)))
    }
    if !usesDenseInnerSize {
      members.append(("moe_intermediate_size", .integer(experts.innerSize)))
    }
    if scalesExpertWeights {
      members.append(("routed_scaling_factor", .single(Double(experts.weightScale))))
    }
    if groupsExperts {
      members.append(("n_group", .integer(experts.groups?.count ?? 1)))
      members.append(("topk_group", .integer(experts.groups?.chosenCount ?? 1)))
    }
    if hasSharedExperts {
      members.append(
        ("n_shared_experts", .integer((experts.sharedInnerSize ?? 0) / experts.innerSize)))
    } else if let shared = experts.sharedInnerSize {
      members.append(("shared_expert_intermediate_size", .integer(shared)))
    }
    return members
  }
}

extension DeltaFacts {
  fileprivate var members: [(String, Int)] {
    [
      ("linear_num_key_heads", keyHeadCount), ("linear_num_value_heads", valueHeadCount),
      ("linear_key_head_dim", keySize), ("linear_value_head_dim", valueSize),
      ("linear_conv_kernel_dim", taps),
    ]
  }
}

extension BlockFacts {
  var isDense: Bool { if case .dense = feedForward { true } else { false } }
}

extension ActivationKind {
  /// transformers' word for it.
  package var configName: String {
    switch self {
    case .silu, .clampedSwiGLU: "silu"
    case .geluTanh: "gelu_pytorch_tanh"
    case .gelu: "gelu"
    case .relu: "relu"
    }
  }
}

extension JSONValue {
  /// A number that a file held in single precision, in the digits that it needs there.
  fileprivate static func single(_ number: Double) -> JSONValue {
    .number(number, text: "\(Float(number))")
  }
}

extension RopeScaling {
  /// What config.json says of it.
  ///
  /// - Throws: ``CheckpointError`` for lists of divisors that no rule explains.
  fileprivate func members(
    of rope: RopeFacts, in model: ModelDescription
  ) throws(CheckpointError) -> [JSONObject.Member] {
    func member(_ name: String, _ value: JSONValue) -> JSONObject.Member {
      JSONObject.Member(name: name, value: value)
    }
    switch self {
    case .linear(let factor):
      return [member("rope_type", "linear"), member("factor", JSONValue(factor))]
    case .llama3(let rule): return rule.members
    case .listed(let divisors):
      guard let rule = Llama3Scaling(explaining: divisors, of: rope) else {
        throw CheckpointError(
          file: model.path, tensor: "rope_freqs.weight",
          reason: "divides RoPE's frequencies by factors that config.json has no rule for",
          hint: "export it as GGUF")
      }
      return rule.members
    case .yarn(let rule):
      return [
        member("rope_type", "yarn"), member("factor", JSONValue(rule.factor)),
        member("original_max_position_embeddings", .integer(rule.originalLength)),
        member("beta_fast", JSONValue(rule.betaFast)),
        member("beta_slow", JSONValue(rule.betaSlow)),
        member("attention_factor", JSONValue(rule.amplitude)),
      ]
    case .proportional(let rule):
      return [
        member("rope_type", "proportional"),
        member("partial_rotary_factor", JSONValue(rule.share)),
      ] + (rule.factor == 1 ? [] : [member("factor", JSONValue(rule.factor))])
    case .long(let rule):
      return [
        member("rope_type", "longrope"),
        member("short_factor", .array(rule.short.map { JSONValue($0) })),
        member("long_factor", .array(rule.long.map { JSONValue($0) })),
        member("original_max_position_embeddings", .integer(rule.originalLength)),
        member("attention_factor", JSONValue(rule.amplitude)),
      ]
    }
  }
}

extension Llama3Scaling {
  fileprivate var members: [JSONObject.Member] {
    let values: [(String, JSONValue)] = [
      ("rope_type", "llama3"), ("factor", JSONValue(factor)),
      ("low_freq_factor", JSONValue(lowFrequencyFactor)),
      ("high_freq_factor", JSONValue(highFrequencyFactor)),
      ("original_max_position_embeddings", .integer(originalLength)),
    ]
    return values.map { JSONObject.Member(name: $0.0, value: $0.1) }
  }
}
