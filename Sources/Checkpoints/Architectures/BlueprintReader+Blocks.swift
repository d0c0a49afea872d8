/// What differs from block to block: caches that are shared, keys that are values, sizes of MLPs, embeddings of blocks' own.
extension BlueprintReader {
  /// What each block has in attention's place; nil for attention.
  func otherMixers(blockCount: Int, hiddenSize: Int) throws(CheckpointError) -> [MixerFacts?] {
    let delta = try DeltaReader(
      settings, architecture: architecture, tensors: tensors, prefix: names.prefix)
    let convolution = try ConvolutionReader(
      settings, architecture: architecture, hiddenSize: hiddenSize)
    let mamba = try MambaReader(
      settings, architecture: architecture, hiddenSize: hiddenSize, blockCount: blockCount)
    return try (0..<blockCount).map { block throws(CheckpointError) in
      if let facts = try delta?.facts(ofBlock: block) { return .delta(facts) }
      if let facts = try convolution?.facts(ofBlock: block) { return .convolution(facts) }
      if let facts = try mamba?.facts(ofBlock: block) { return .mamba(facts) }
      return nil
    }
  }

  /// The rotations of those blocks that have attention; none where no block has.
  func ropes(
    of heads: HeadReader, attending: [Int],
    hasWindow: (Int) throws(CheckpointError) -> Bool
  ) throws(CheckpointError) -> [RopeFacts] {
    // `filter` throws anything.
    var windowed: [Int] = []
    for block in attending where try hasWindow(block) { windowed.append(block) }
    // Heads of a kind have one size: that of the first block with a window, and of the last without.
    guard let local = windowed.first ?? attending.first,
      let whole = attending.last(where: { !windowed.contains($0) }) ?? attending.last
    else { return [] }
    let wholeHeads = try heads.heads(ofBlock: whole, isGlobal: true)
    let localHeads = try heads.heads(ofBlock: local, isGlobal: false)
    return try RopeReader(settings, architecture: architecture, tensors: tensors).ropes(
      headSize: wholeHeads.size, localHeadSize: localHeads.size)
  }

  /// The last blocks, if they read the keys and values of others.
  func sharingBlocks(of count: Int) throws(CheckpointError) -> Range<Int> {
    guard architecture.sharesCaches, let sharing = try settings.optionalSize(.sharedCaches) else {
      return count..<count
    }
    guard sharing < count else {
      throw settings.error("\(sharing) of \(count) blocks cannot share the caches of others")
    }
    return count - sharing..<count
  }

  /// The last block of its kind that has keys and values of its own.
  func cacheBlock(
    of attention: AttentionFacts, in blocks: ArraySlice<BlockFacts>
  ) throws(CheckpointError) -> Int {
    let found = blocks.lastIndex { block in
      block.attention.map { ($0.window == nil) == (attention.window == nil) } ?? false
    }
    guard let found, let own = blocks[found].attention else {
      throw settings.error(
        "layer_types and sliding_window let the last blocks share caches, and none before has any with such a window"
      )
    }
    guard own.keyWidth == attention.keyWidth, own.headSize == attention.headSize else {
      throw settings.error(
        "layer_types and sliding_window let the last blocks share caches of heads of other sizes")
    }
    return found
  }

  func keysAreValues(
    in attention: AttentionFacts, ofBlock block: Int
  ) throws(CheckpointError) -> Bool {
    guard architecture.hasGlobalHeads, attention.cacheBlock == nil else { return false }
    if settings.gguf != nil {
      return tensors["blk.\(block).\(Part.value.ggufName).weight"] == nil
    }
    guard attention.window == nil else { return false }
    return try settings.flag("attention_k_eq_v")
  }

  func hasOutputScale(_ block: Int) -> Bool {
    guard architecture.scalesBlocks else { return false }
    return settings.gguf == nil || tensors["blk.\(block).\(Part.outputScale.ggufName)"] != nil
  }

  func innerSize(ofBlock block: Int, isSharing: Bool) throws(CheckpointError) -> Int {
    if architecture.fusesShared, settings.gguf == nil {
      return try settings.size(.fusedSharedInnerSize)
    }
    if architecture.adjustsInnerSize, settings.gguf == nil { return try adjustedInnerSize() }
    let size = try settings.size(.innerSize, ofBlock: block)
    guard isSharing, try settings.flag("use_double_wide_mlp") else { return size }
    return 2 * size
  }

  /// LFM2's size: two thirds of what config.json says, times a factor, up to a multiple of another size, unless it says not to.
  private func adjustedInnerSize() throws(CheckpointError) -> Int {
    let size = try settings.size(SettingKey("block_ff_dim", "intermediate_size", gguf: nil))
    guard try settings.flag("block_auto_adjust_ff_dim", standard: true) else { return size }
    let factor = try settings.optionalNumber(SettingKey("block_ffn_dim_multiplier", gguf: nil))
    guard let factor else { return 2 * size / 3 }
    let scaled = factor * Double(2 * size / 3)
    guard scaled >= 1, scaled < Double(1 << 24) else {
      throw settings.error("block_ffn_dim_multiplier is \(factor) for an inner size of \(size)")
    }
    let multiple = try settings.size(SettingKey("block_multiple_of", gguf: nil))
    return (Int(scaled) + multiple - 1) / multiple * multiple
  }

  /// Whether gates and ups of a block's experts are one tensor, which GGUF's tensors tell.
  func holdsFused(_ block: Int) -> Bool {
    settings.gguf == nil
      || tensors["blk.\(block).\(Part.expertGateUp.ggufName).weight"] != nil
  }

  func perLayer() throws(CheckpointError) -> PerLayerFacts? {
    guard architecture.hasPerLayerEmbeddings, let size = try settings.optionalSize(.perLayerSize)
    else { return nil }
    let vocabulary = try vocabularySize()
    let rows = tensors["\(Part.perLayerEmbedding.ggufName).weight"]?.shape.first
    let ids = try settings.size(
      SettingKey("vocab_size_per_layer_input", gguf: nil), standard: rows ?? vocabulary)
    guard ids >= vocabulary else {
      throw settings.error("\(vocabulary) tokens have \(ids) embeddings for each block")
    }
    return PerLayerFacts(size: size, vocabularySize: ids, activation: try activation())
  }
}
