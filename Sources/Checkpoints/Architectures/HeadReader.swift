import JSON

/// Reads how many heads blocks have, and of what size, which may differ between blocks with a window and those without.
struct HeadReader {
  /// The heads of a block.
  struct Heads: Hashable {
    var count: Int
    var keyCount: Int
    var size: Int
  }

  private let settings: ModelSettings
  private let architecture: Architecture
  private let hiddenSize: Int

  init(_ settings: ModelSettings, architecture: Architecture, hiddenSize: Int) {
    self.settings = settings
    self.architecture = architecture
    self.hiddenSize = hiddenSize
  }

  /// - Parameters:
  ///   - block: Its number.
  ///   - isGlobal: Whether it sees all positions.
  /// - Returns: Its heads.
  /// - Throws: ``CheckpointError`` for sizes that do not fit together.
  func heads(ofBlock block: Int, isGlobal: Bool) throws(CheckpointError) -> Heads {
    let count = try settings.size(.headCount)
    var heads = Heads(
      count: count, keyCount: try keyCount(ofBlock: block, standard: count),
      size: try size(isGlobal: isGlobal, count: count))
    if architecture.hasGlobalHeads, let config = settings.config {
      try override(&heads, block, isGlobal: isGlobal, by: config)
    }
    guard count % heads.keyCount == 0 else {
      throw settings.error(
        "\(count) attention heads cannot share \(heads.keyCount) key-value heads evenly")
    }
    guard heads.size % 2 == 0 else {
      throw settings.error("the head size \(heads.size) is odd, and RoPE rotates pairs")
    }
    return heads
  }

  private func keyCount(ofBlock block: Int, standard: Int) throws(CheckpointError) -> Int {
    try settings.size(.keyHeadCount, ofBlock: block, standard: standard)
  }

  private func size(isGlobal: Bool, count: Int) throws(CheckpointError) -> Int {
    let isLocal = architecture.hasGlobalHeads && !isGlobal
    let key: SettingKey = isLocal ? .localHeadSize : .headSize
    guard settings.has(key) || hiddenSize % count == 0 else {
      throw settings.error(
        "the hidden size \(hiddenSize) is no multiple of the \(count) attention heads")
    }
    let size = try settings.size(key, standard: max(1, hiddenSize / count))
    let valueSize = SettingKey(gguf: "attention.value_length" + (isLocal ? "_swa" : ""))
    guard try settings.size(valueSize, standard: size) == size else {
      throw settings.error("keys and values have heads of different sizes, which is not supported")
    }
    return size
  }

  /// What config.json says of blocks one by one, or of all that see all positions.
  private func override(
    _ heads: inout Heads, _ block: Int, isGlobal: Bool, by config: JSONFile
  ) throws(CheckpointError) {
    guard let all = try config.section("per_layer_config") else {
      guard isGlobal else { return }
      heads.size = try settings.size(.globalHeadSize)
      // transformers reads it in models whose keys are values only.
      if try settings.flag("attention_k_eq_v") {
        let key = SettingKey("num_global_key_value_heads", gguf: nil)
        heads.keyCount = try settings.optionalSize(key) ?? heads.keyCount
      }
      return
    }
    if let stranger = all.root.members.first(where: { Int($0.name) == nil }) {
      throw config.error("per_layer_config speaks of \"\(stranger.name)\", which is no block")
    }
    guard let own = try all.section("\(block)") else { return }
    let known = ["head_dim", "num_key_value_heads"]
    if let stranger = own.root.members.first(where: { !known.contains($0.name) }) {
      throw config.error(
        "per_layer_config gives block \(block) a \(stranger.name) of its own, which is not supported"
      )
    }
    heads.size = try own.size("head_dim", standard: heads.size)
    heads.keyCount = try own.size("num_key_value_heads", standard: heads.keyCount)
  }
}
