/// What differs from block to block: caches that are shared, keys that are values, sizes of MLPs, embeddings of blocks' own.
extension BlueprintReader {
  func ropes(of heads: HeadReader, blockCount: Int) throws(CheckpointError) -> [RopeFacts] {
    // Heads of a kind have one size; the last block has those of blocks without a window where kinds differ.
    let whole = try heads.heads(ofBlock: blockCount - 1, isGlobal: true)
    let local = try heads.heads(ofBlock: 0, isGlobal: false)
    return try RopeReader(settings, architecture: architecture, tensors: tensors).ropes(
      headSize: whole.size, localHeadSize: local.size)
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
    let size = try settings.size(.innerSize, ofBlock: block)
    guard isSharing, try settings.flag("use_double_wide_mlp") else { return size }
    return 2 * size
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
