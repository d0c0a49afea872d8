import Checkpoints
import Compression

extension ModelDescription {
  /// The sizes that structured pruning changes; zeros where the model does not run.
  public var prunableSizes: PrunableSizes {
    let first = blueprint?.blocks.first
    let mixtures = (blueprint?.blocks ?? []).enumerated().compactMap { index, block in
      if case .experts(let facts) = block.feedForward { (index, facts) } else { nil }
    }
    // Mixtures that are not alike are not pruned alike.
    let isAlike = mixtures.allSatisfy { $0.1.count == mixtures[0].1.count }
    let experts = isAlike ? mixtures.first?.1 : nil
    return PrunableSizes(
      blocks: blockCount, neurons: first?.feedForward.innerSize ?? 0,
      keyValueHeads: blueprint?.attention?.keyValueHeadCount ?? 0, experts: experts?.count ?? 0,
      chosenExperts: experts?.chosenCount ?? 0,
      mixtures: experts == nil ? [] : Set(mixtures.map(\.0)))
  }

  /// Refuses structures that the model cannot have.
  func check(_ structure: ModelStructure) throws(InferenceError) {
    do {
      try structure.check(for: prunableSizes)
    } catch {
      throw .invalidStructure(error)
    }
    try checkSizes(of: structure)
  }

  /// Refuses structures of sizes that the model cannot be cut to, whatever is cut.
  func checkSizes(of structure: ModelStructure) throws(InferenceError) {
    guard let blueprint else {
      throw .doesNotRun(
        reason: abilities.runningObstacle ?? "the architecture \(architecture) does not run")
    }
    try checkCaches(under: structure)
    if structure.sizes(of: prunableSizes).experts != prunableSizes.experts,
      blueprint.experts?.groups != nil
    {
      throw .invalidStructure(
        PlanError(
          reason:
            "experts cannot be pruned: they are chosen by groups, which have to be equally large"))
    }
    let sizes = structure.sizes(of: prunableSizes)
    let cuts =
      sizes.neurons != prunableSizes.neurons || sizes.keyValueHeads != prunableSizes.keyValueHeads
    guard cuts, let obstacle = blueprint.cuttingObstacle else { return }
    throw .invalidStructure(
      PlanError(reason: "neurons and heads cannot be pruned: \(obstacle); leave out blocks instead")
    )
  }

  /// Blocks that no structure leaves out: others read their keys and values, or the model has to end with them.
  var fixedBlocks: Set<Int> {
    guard let blueprint, let architecture = Architecture.named(architecture) else { return [] }
    let last = architecture.keepsLastBlock ? [blockCount - 1] : []
    let attending = blueprint.blocks.indices.filter { blueprint.blocks[$0].attention != nil }
    return blueprint.sharedBlocks.union(last).union(attending.count == 1 ? attending : [])
  }

  /// Refuses structures without blocks whose keys and values others read, and such as transformers would read otherwise.
  private func checkCaches(under structure: ModelStructure) throws(InferenceError) {
    guard let blueprint else { return }
    let kept = structure.keptBlocks(of: prunableSizes)
    if let missing = blueprint.sharedBlocks.subtracting(kept).min() {
      throw .invalidStructure(
        PlanError(reason: "block \(missing) cannot be left out: others read its keys and values"))
    }
    guard
      blueprint.attention == nil || kept.contains(where: { blueprint.blocks[$0].attention != nil })
    else {
      throw .invalidStructure(PlanError(reason: "no block with attention would be left"))
    }
    guard let last = kept.last, let architecture = Architecture.named(architecture),
      architecture.keepsLastBlock, blueprint.blocks[last].attention?.window != nil
    else { return }
    throw .invalidStructure(
      PlanError(
        reason: "the last block that stays, \(last), has a window, and \(architecture.name) ends "
          + "with one that has none"))
  }

  /// The rows and columns that a tensor keeps; nil keeps all.
  ///
  /// Biases and norms of heads have rows only.
  func kept(
    of tensor: ModelTensor, by structure: ModelStructure
  ) -> (rows: [Int]?, columns: [Int]?) {
    if let perLayer = blueprint?.perLayer, tensor.block == nil {
      // Blocks have their own places in these.
      let places = structure.keptBlocks(of: prunableSizes).flatMap {
        $0 * perLayer.size..<($0 + 1) * perLayer.size
      }
      if places.count == blockCount * perLayer.size { return (nil, nil) }
      if tensor.part == .perLayerEmbedding { return (nil, places) }
      return (tensor.part == .perLayerModelProjection ? places : nil, nil)
    }
    guard let block = tensor.block, let facts = blueprint?.blocks[block].attention else {
      return (nil, nil)
    }
    let sizes = prunableSizes
    let neurons = structure.keptNeurons(ofBlock: block, of: sizes)
    let heads = structure.keptKeyValueHeads(ofBlock: block, of: sizes)
    /// Channels of the heads, `count` of which share each key and value head.
    func channels(_ count: Int) -> [Int]? {
      let width = count * facts.headSize
      return heads?.flatMap { $0 * width..<($0 + 1) * width }
    }
    let shared = facts.headCount / facts.keyValueHeadCount
    let isBias = tensor.kind == .bias
    return switch tensor.part {
    case .query: (channels(shared), nil)
    case .key, .value: (channels(1), nil)
    case .attentionOutput: (nil, isBias ? nil : channels(shared))
    case .gate, .up: (neurons, nil)
    case .down: (nil, isBias ? nil : neurons)
    default: (nil, nil)
    }
  }

  /// The experts that a tensor with something for each of them keeps; nil for others, and if all stay.
  func keptExperts(of tensor: ModelTensor, by structure: ModelStructure) -> [Int]? {
    guard let block = tensor.block, tensor.part.isOfExperts else { return nil }
    return structure.keptExperts(ofBlock: block, of: prunableSizes)
  }

  /// The tensors that a structure leaves, each with what it becomes: another size, and a block that is counted anew.
  func tensors(leftBy structure: ModelStructure) -> [(whole: ModelTensor, left: ModelTensor)] {
    guard let blueprint, let architecture = Architecture.named(architecture) else { return [] }
    let sizes = prunableSizes
    let blocks = Set(structure.keptBlocks(of: sizes))
    let whole = tensors.filter { $0.block.map(blocks.contains) ?? true }
    let left = architecture.tensors(of: blueprint.pruned(by: structure, of: sizes))
    return Array(zip(whole, left))
  }
}

extension Blueprint {
  /// Why neurons and heads cannot be cut; nil if they can: all blocks are alike, and no matrix holds several layers.
  var cuttingObstacle: String? {
    guard let first = blocks.first else { return nil }
    guard blocks.allSatisfy({ $0.feedForward == first.feedForward }) else {
      return "the blocks differ in their feed-forward halves"
    }
    guard
      blocks.allSatisfy({
        $0.attention?.headSize == first.attention?.headSize
          && $0.attention?.keyValueHeadCount == first.attention?.keyValueHeadCount
          && $0.attention?.cacheBlock == nil && $0.attention?.keysAreValues != true
      })
    else { return "the blocks differ in their heads" }
    guard case .dense(let dense) = first.feedForward else {
      return "the model is a mixture of experts"
    }
    guard let attention = first.attention, blocks.allSatisfy({ $0.attention != nil }) else {
      return "some blocks have no attention"
    }
    if attention.latent != nil { return "keys and values follow from one latent row" }
    if dense.isFused || attention.isFused { return "several layers are one matrix" }
    if attention.queryKeyNorm == .wholeWidth {
      return "all heads are normalised together"
    }
    return nil
  }

  /// The blueprint of what a structure leaves.
  func pruned(by structure: ModelStructure, of sizes: PrunableSizes) -> Blueprint {
    var pruned = self
    let left = structure.sizes(of: sizes)
    let kept = structure.keptBlocks(of: sizes)
    pruned.blocks = kept.map { index in
      var block = blocks[index]
      if var attention = block.attention {
        attention.cacheBlock = attention.cacheBlock.flatMap { kept.firstIndex(of: $0) }
        if left.keyValueHeads != sizes.keyValueHeads {
          let shared = attention.headCount / attention.keyValueHeadCount
          attention.keyValueHeadCount = left.keyValueHeads
          attention.headCount = left.keyValueHeads * shared
        }
        block.mixer = .attention(attention)
      }
      if left.experts != sizes.experts, case .experts(var experts) = block.feedForward {
        experts.count = left.experts
        block.feedForward = .experts(experts)
      }
      if left.neurons != sizes.neurons, case .dense(var dense) = block.feedForward {
        dense.innerSize = left.neurons
        block.feedForward = .dense(dense)
      }
      return block
    }
    return pruned
  }
}
