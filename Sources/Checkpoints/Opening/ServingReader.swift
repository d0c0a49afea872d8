import JSON

/// Reads what serving takes from the settings of a model that does not run.
///
/// Settings that are missing or of another type count as not said: such a model opens all the same.
/// Sources of the words: transformers' configurations, and `llama-hparams.cpp` of llama.cpp for GGUF.
struct ServingReader {
  private let numbers: @Sendable (_ config: [String], _ gguf: String?) -> Int?
  private let blockWord: @Sendable (_ block: Int, _ count: Int) -> BlockWord?
  private let overrides: @Sendable (_ block: Int) -> HeadSizes

  /// Sizes that one block has of its own.
  struct HeadSizes {
    var keyHeads: Int?
    var keySize: Int?
    var valueSize: Int?
  }

  /// What mixes the positions of a block.
  enum BlockWord {
    case full, windowed, linear, convolution, nothing
  }

  /// Most that a size is believed to be: products of three of them, and what is added to these, fit an `Int`.
  private static let sizeLimit = 1 << 20
  /// Most values that a block is believed to have of anything.
  private static let valueLimit = 1 << 30

  private func size(
    _ names: String..., gguf: String? = nil, limit: Int = Self.sizeLimit
  ) -> Int? {
    numbers(names, gguf).flatMap { (1...limit).contains($0) ? $0 : nil }
  }

  /// nil where blocks, heads or the mixer of a block are not known.
  func facts() -> ServingFacts? {
    guard let hidden = size("hidden_size", "n_embd", "d_model", gguf: "embedding_length"),
      let count = blockCount, count <= BlueprintReader.blockLimit
    else { return nil }
    var blocks: [BlockCacheFacts] = []
    let sharing = size("num_kv_shared_layers", gguf: "attention.shared_kv_layers") ?? 0
    for block in 0..<count {
      guard let word = blockWord(block, count) else { return nil }
      guard let facts = facts(of: word, block: block, hidden: hidden),
        max(facts.valuesAPosition, facts.queryWidth, facts.stateValues) <= Self.valueLimit
      else { return nil }
      let isShared = block >= count - sharing
      blocks.append(isShared ? BlockCacheFacts(queryWidth: facts.queryWidth) : facts)
    }
    return ServingFacts(
      hiddenSize: hidden, vocabularySize: size("vocab_size", gguf: "vocab_size") ?? 0,
      contextLength: size(
        "max_position_embeddings", "n_positions", "model_max_length", gguf: "context_length",
        limit: BlueprintReader.contextLimit) ?? 0,
      chosenExperts: size(
        "num_experts_per_tok", "num_experts_per_token", "top_k_experts", "moe_topk",
        gguf: "expert_used_count"),
      blocks: blocks)
  }

  private var blockCount: Int? {
    let count = size("num_hidden_layers", "n_layer", gguf: "block_count")
    let further = size(gguf: "nextn_predict_layers") ?? 0
    return count.map { max(1, $0 - further) }
  }

  private func facts(of word: BlockWord, block: Int, hidden: Int) -> BlockCacheFacts? {
    switch word {
    case .nothing: return BlockCacheFacts()
    case .convolution:
      guard let length = size("conv_L_cache", gguf: "shortconv.l_cache") else { return nil }
      return BlockCacheFacts(stateValues: hidden * (length - 1))
    case .linear: return stateValues.map { BlockCacheFacts(stateValues: $0) }
    case .full: return attention(block: block, hidden: hidden, window: nil)
    case .windowed:
      guard
        let window = size(
          "sliding_window", "attention_chunk_size", gguf: "attention.sliding_window",
          limit: BlueprintReader.contextLimit)
      else { return nil }
      return attention(block: block, hidden: hidden, window: window)
    }
  }

  private func attention(block: Int, hidden: Int, window: Int?) -> BlockCacheFacts? {
    guard let heads = size("num_attention_heads", "n_head", gguf: "attention.head_count") else {
      return nil
    }
    let own = overrides(block)
    if let latent = size("kv_lora_rank", gguf: "attention.kv_lora_rank") {
      guard let turned = size("qk_rope_head_dim", gguf: "rope.dimension_count") else { return nil }
      let indexed = size("index_head_dim", gguf: "attention.indexer.key_length") ?? 0
      let key =
        size("qk_nope_head_dim").map { $0 + turned }
        ?? size(gguf: "attention.key_length_mla") ?? latent + turned
      return BlockCacheFacts(
        keyHeads: 1, valuesAHead: latent + turned + indexed, isLatent: true, window: window,
        queryWidth: heads * key)
    }
    let keySize =
      own.keySize ?? size("head_dim", "attention_head_dim", gguf: "attention.key_length")
      ?? hidden / heads
    let valueSize = own.valueSize ?? size("v_head_dim", gguf: "attention.value_length") ?? keySize
    let keyHeads =
      own.keyHeads
      ?? size("num_key_value_heads", "num_kv_heads", gguf: "attention.head_count_kv") ?? heads
    // What a block has of its own did not go through `size`.
    let sizes = 1...Self.sizeLimit
    guard sizes.contains(keySize), sizes.contains(valueSize), sizes.contains(keyHeads) else {
      return nil
    }
    return BlockCacheFacts(
      keyHeads: keyHeads, valuesAHead: keySize + valueSize, window: window,
      queryWidth: heads * keySize)
  }

  /// Values of the state of a linear mixer, and of the convolution before it: Gated DeltaNet, Kimi's, or Mamba 2.
  private var stateValues: Int? {
    if let keyHeads = size("linear_num_key_heads"), let heads = size("linear_num_value_heads"),
      let key = size("linear_key_head_dim"), let value = size("linear_value_head_dim")
    {
      let kernel = size("linear_conv_kernel_dim") ?? 4
      return heads * key * value + (kernel - 1) * (2 * keyHeads * key + heads * value)
    }
    if let heads = size("linear_num_heads"), let head = size("linear_head_dim") {
      return heads * head * head + 3 * ((size("linear_conv_kernel_dim") ?? 4) - 1) * heads * head
    }
    let kernel = size("mamba_d_conv", "conv_kernel", gguf: "ssm.conv_kernel") ?? 4
    let heads = size("mamba_n_heads", "mamba_num_heads", "num_heads")
    let head = size("mamba_d_head", "mamba_head_dim", "head_dim")
    let product = heads.flatMap { heads in head.map { heads * $0 } }
    guard let inner = product ?? size(gguf: "ssm.inner_size"),
      let state = size("mamba_d_state", "ssm_state_size", "state_size", gguf: "ssm.state_size")
    else { return nil }
    let groups = size("mamba_n_groups", "n_groups", gguf: "ssm.group_count") ?? 1
    return inner * state + (kernel - 1) * (inner + 2 * groups * state)
  }
}

extension ServingReader {
  /// Of config.json's text model.
  init(config: JSONFile) {
    // Kimi's first files have these in a section of their own.
    let linear = config.root["linear_attn_config"]?.object
    numbers = { names, _ in
      if let found = names.lazy.compactMap({ config.root[$0]?.integer }).first { return found }
      // Falcon's first models have one key head for all queries.
      if names.contains("num_kv_heads"), config.root["multi_query"]?.bool == true { return 1 }
      switch names.first {
      case "num_hidden_layers":
        return config.root["layers_block_type"]?.array?.count
          ?? config.root["hybrid_override_pattern"]?.string?.count
      case "linear_num_heads": return linear?["num_heads"]?.integer
      case "linear_head_dim": return linear?["head_dim"]?.integer
      case "linear_conv_kernel_dim": return linear?["short_conv_kernel_size"]?.integer
      default: return nil
      }
    }
    blockWord = { block, count in config.root.blockWord(block, of: count) }
    overrides = { block in
      let own = config.root["per_layer_config"]?.object?["\(block)"]?.object
      let isGlobal = config.root.blockWord(block, of: block + 1) == .full
      let global = isGlobal ? config.root : nil
      return HeadSizes(
        keyHeads: own?["num_key_value_heads"]?.integer
          ?? global?["num_global_key_value_heads"]?.integer,
        keySize: own?["head_dim"]?.integer ?? global?["global_head_dim"]?.integer,
        valueSize: own?["head_dim"]?.integer ?? global?["global_head_dim"]?.integer)
    }
  }

  /// Of GGUF's metadata of an architecture.
  init(gguf header: GGUFHeader, name: String) {
    numbers = { _, key in
      guard let key, case .integer(let value) = header.value("\(name).\(key)") else {
        guard let key else { return nil }
        return header.integers("\(name).\(key)")?.max()
      }
      return value
    }
    let keyHeads = header.integers("\(name).attention.head_count_kv")
    let recurrent = header.integers("\(name).attention.recurrent_layers")
    let windows = header.integers("\(name).attention.sliding_window_pattern")
    func number(_ key: String) -> Int? {
      if case .integer(let value) = header.value("\(name).\(key)") { value } else { nil }
    }
    let every = number("full_attention_interval").flatMap { $0 > 0 ? $0 : nil }
    let interval =
      number("attention.sliding_window_pattern").flatMap { $0 > 0 ? $0 : nil }
      ?? Architecture.windowInterval(gguf: name)
    let hasWindow = (number("attention.sliding_window") ?? 0) > 0
    let isLinear = number("ssm.state_size") != nil
    let isConvolving = number("shortconv.l_cache") != nil
    let hasHeads = keyHeads != nil || number("attention.head_count") ?? 0 > 0
    blockWord = { block, _ in
      let isWithoutHeads = keyHeads.map { !$0.indices.contains(block) || $0[block] == 0 } ?? false
      let isMarked = recurrent.map { $0.indices.contains(block) && $0[block] != 0 }
      let isRecurrent =
        isMarked ?? every.map { (block + 1) % $0 != 0 } ?? (isWithoutHeads || !hasHeads)
      if isRecurrent { return isConvolving ? .convolution : isLinear ? .linear : .nothing }
      guard hasWindow else { return .full }
      if let windows, windows.indices.contains(block) {
        return windows[block] != 0 ? .windowed : .full
      }
      return (block + 1) % interval == 0 ? .full : .windowed
    }
    let sizes = (
      number("attention.key_length_swa"), number("attention.value_length_swa")
    )
    let words = blockWord
    overrides = { block in
      let isWindowed = words(block, block + 1) == .windowed
      return HeadSizes(
        keyHeads: keyHeads.flatMap { $0.indices.contains(block) ? $0[block] : nil },
        keySize: isWindowed ? sizes.0 : nil, valueSize: isWindowed ? sizes.1 : nil)
    }
  }
}

extension JSONObject {
  /// What config.json says of a block's mixer; nil for words that are not known.
  fileprivate func blockWord(_ block: Int, of count: Int) -> ServingReader.BlockWord? {
    if let word = (self["layer_types"] ?? self["layers_block_type"])?.array {
      guard word.indices.contains(block), let text = word[block].string else { return nil }
      return Self.words[text]
    }
    if let pattern = self["hybrid_override_pattern"]?.string {
      let letters = Array(pattern)
      guard letters.indices.contains(block) else { return nil }
      return letters[block] == "*" ? .full : letters[block] == "M" ? .linear : .nothing
    }
    if let full = self["full_attn_idxs"]?.array {
      return full.contains(.integer(block)) ? .full : .convolution
    }
    if let kimi = self["linear_attn_config"]?.object, let full = kimi["full_attn_layers"]?.array {
      // Counted from one.
      return full.contains(.integer(block + 1)) ? .full : .linear
    }
    if let every = self["full_attention_interval"]?.integer, every > 0 {
      return (block + 1) % every == 0 ? .full : .linear
    }
    if self["attention_chunk_size"]?.integer != nil {
      guard let turns = self["no_rope_layers"]?.array, turns.indices.contains(block) else {
        return (block + 1) % 4 == 0 ? .full : .windowed
      }
      return turns[block] == .integer(0) ? .full : .windowed
    }
    if self["state_size"] != nil, self["num_attention_heads"] == nil { return .linear }
    let isOn = self["use_sliding_window"]?.bool ?? true
    return isOn && self["sliding_window"]?.integer != nil ? .windowed : .full
  }

  private static let words: [String: ServingReader.BlockWord] = [
    "full_attention": .full, "attention": .full, "indexed_attention": .full,
    "sliding_attention": .windowed, "chunked_attention": .windowed, "linear_attention": .linear,
    "mamba": .linear, "conv": .convolution, "mlp": .nothing, "moe": .nothing,
  ]
}

extension CheckpointContents {
  /// What serving takes, as far as the settings of a model that does not run say it.
  var statedServing: ServingFacts? {
    switch source {
    case .directory: (try? config?.text).flatMap { ServingReader(config: $0).facts() }
    case .gguf(let header):
      architecture.flatMap { name in
        var facts = ServingReader(gguf: header, name: name).facts()
        if facts?.vocabularySize == 0, let rows = table["token_embd.weight"]?.shape.first {
          facts?.vocabularySize = rows
        }
        return facts
      }
    }
  }
}
