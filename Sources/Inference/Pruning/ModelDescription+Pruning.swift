import Checkpoints
import Compression

extension ModelDescription {
  /// The sizes that structured pruning changes; zeros where the model does not run.
  public var prunableSizes: PrunableSizes {
    let first = blueprint?.blocks.first
    return PrunableSizes(
      blocks: blockCount, neurons: first?.feedForward.innerSize ?? 0,
      keyValueHeads: blueprint?.attention?.keyValueHeadCount ?? 0)
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
    let sizes = structure.sizes(of: prunableSizes)
    let cuts =
      sizes.neurons != prunableSizes.neurons || sizes.keyValueHeads != prunableSizes.keyValueHeads
    guard cuts, let obstacle = blueprint.cuttingObstacle else { return }
    throw .invalidStructure(
      PlanError(reason: "neurons and heads cannot be pruned: \(obstacle); leave out blocks instead")
    )
  }

  /// The rows and columns that a tensor keeps; nil keeps all.
  ///
  /// Biases and norms of heads have rows only.
  func kept(
    of tensor: ModelTensor, by structure: ModelStructure
  ) -> (rows: [Int]?, columns: [Int]?) {
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
    pruned.blocks = structure.keptBlocks(of: sizes).map { index in
      var block = blocks[index]
      if left.keyValueHeads != sizes.keyValueHeads, var attention = block.attention {
        let shared = attention.headCount / attention.keyValueHeadCount
        attention.keyValueHeadCount = left.keyValueHeads
        attention.headCount = left.keyValueHeads * shared
        block.mixer = .attention(attention)
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
