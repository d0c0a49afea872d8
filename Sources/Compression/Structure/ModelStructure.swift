/// What structured pruning takes from a model: whole blocks, MLP neurons, KV-head groups and experts.
///
/// Blocks are counted as in the whole model. All blocks that stay keep equally many neurons, heads and experts, as every server
/// expects; which ones is the choice of each block.
public struct ModelStructure: Codable, Hashable, Sendable {
  /// What one block loses; indices ascend.
  public struct Cut: Codable, Hashable, Sendable {
    /// Rows of gate and up, columns of down.
    public var neurons: [Int]
    /// Key and value heads, each with the query heads that share it.
    public var keyValueHeads: [Int]
    /// Experts, with their rows of the router.
    public var experts: [Int]

    public init(neurons: [Int] = [], keyValueHeads: [Int] = [], experts: [Int] = []) {
      self.neurons = neurons
      self.keyValueHeads = keyValueHeads
      self.experts = experts
    }

    /// What is not said keeps all.
    public init(from decoder: any Decoder) throws {
      let words = try decoder.container(keyedBy: CodingKeys.self)
      neurons = try words.decodeIfPresent([Int].self, forKey: .neurons) ?? []
      keyValueHeads = try words.decodeIfPresent([Int].self, forKey: .keyValueHeads) ?? []
      experts = try words.decodeIfPresent([Int].self, forKey: .experts) ?? []
    }
  }

  /// Neurons are kept in multiples of this, so that rows stay whole groups and GGUF blocks.
  public static let neuronMultiple = 32

  /// Blocks that are left out, ascending.
  public var removedBlocks: [Int]
  /// Neurons that each MLP keeps; nil keeps all.
  public var neurons: Int?
  /// Key and value heads that each block keeps; nil keeps all.
  public var keyValueHeads: Int?
  /// Experts that each mixture keeps; nil keeps all.
  public var experts: Int?
  /// What the blocks that stay lose; empty until it is chosen.
  public var cuts: [Int: Cut]

  public init(
    removedBlocks: [Int] = [], neurons: Int? = nil, keyValueHeads: Int? = nil,
    experts: Int? = nil, cuts: [Int: Cut] = [:]
  ) {
    self.removedBlocks = removedBlocks.sorted()
    self.neurons = neurons
    self.keyValueHeads = keyValueHeads
    self.experts = experts
    self.cuts = cuts
  }
}

/// The sizes that structured pruning changes.
public struct PrunableSizes: Hashable, Sendable {
  public var blocks: Int
  /// Neurons of each MLP.
  public var neurons: Int
  public var keyValueHeads: Int
  /// Experts of each mixture; 0 where there is none.
  public var experts: Int
  /// Experts that a token runs through, of which no mixture keeps fewer.
  public var chosenExperts: Int
  /// Blocks that are mixtures.
  public var mixtures: Set<Int>

  public init(
    blocks: Int, neurons: Int, keyValueHeads: Int, experts: Int = 0, chosenExperts: Int = 0,
    mixtures: Set<Int> = []
  ) {
    self.blocks = blocks
    self.neurons = neurons
    self.keyValueHeads = keyValueHeads
    self.experts = experts
    self.chosenExperts = chosenExperts
    self.mixtures = mixtures
  }
}

extension ModelStructure {
  /// Whether the model stays whole.
  public var takesNothing: Bool { removedBlocks.isEmpty && cuts.isEmpty }

  /// The sizes of the pruned model.
  public func sizes(of whole: PrunableSizes) -> PrunableSizes {
    PrunableSizes(
      blocks: whole.blocks - removedBlocks.count, neurons: neurons ?? whole.neurons,
      keyValueHeads: keyValueHeads ?? whole.keyValueHeads, experts: experts ?? whole.experts,
      chosenExperts: whole.chosenExperts,
      mixtures: Set(
        keptBlocks(of: whole).enumerated().filter { whole.mixtures.contains($0.element) }.map(
          \.offset)))
  }

  /// Blocks that stay, ascending.
  public func keptBlocks(of whole: PrunableSizes) -> [Int] {
    let removed = Set(removedBlocks)
    return (0..<whole.blocks).filter { !removed.contains($0) }
  }

  /// Neurons that a block keeps, ascending; nil if it keeps all.
  public func keptNeurons(ofBlock block: Int, of whole: PrunableSizes) -> [Int]? {
    Self.rest(of: whole.neurons, without: cuts[block]?.neurons)
  }

  /// Key and value heads that a block keeps, ascending; nil if it keeps all.
  public func keptKeyValueHeads(ofBlock block: Int, of whole: PrunableSizes) -> [Int]? {
    Self.rest(of: whole.keyValueHeads, without: cuts[block]?.keyValueHeads)
  }

  /// Experts that a block keeps, ascending; nil if it keeps all.
  public func keptExperts(ofBlock block: Int, of whole: PrunableSizes) -> [Int]? {
    Self.rest(of: whole.experts, without: cuts[block]?.experts)
  }

  private static func rest(of count: Int, without removed: [Int]?) -> [Int]? {
    guard let removed, !removed.isEmpty else { return nil }
    let gone = Set(removed)
    return (0..<count).filter { !gone.contains($0) }
  }

  /// Refuses sizes that a model of these sizes cannot be pruned to, whatever its blocks lose.
  ///
  /// - Throws: ``PlanError`` that says what would be right.
  public func checkSizes(for whole: PrunableSizes) throws(PlanError) {
    for block in removedBlocks where !(0..<whole.blocks).contains(block) {
      throw Self.error("there is no block \(block) to remove; the last is \(whole.blocks - 1)")
    }
    guard removedBlocks.count < whole.blocks else {
      throw Self.error("no block would be left; the model has \(whole.blocks)")
    }
    if let neurons, neurons != whole.neurons {
      guard neurons <= whole.neurons else {
        throw Self.error("\(neurons) neurons are more than the \(whole.neurons) of each MLP")
      }
      guard neurons > 0, neurons % Self.neuronMultiple == 0 else {
        throw Self.error(
          "an MLP keeps a multiple of \(Self.neuronMultiple) neurons, not \(neurons)")
      }
    }
    if let keyValueHeads {
      guard keyValueHeads <= whole.keyValueHeads else {
        throw Self.error(
          "\(keyValueHeads) key and value heads are more than the model's \(whole.keyValueHeads)")
      }
      guard keyValueHeads > 0 else {
        throw Self.error("a block keeps at least 1 key and value head")
      }
    }
    if let experts {
      guard whole.experts > 0 else { throw Self.error("the model has no experts") }
      guard experts <= whole.experts else {
        throw Self.error("\(experts) experts are more than the \(whole.experts) of each mixture")
      }
      guard experts >= max(whole.chosenExperts, 1) else {
        throw Self.error(
          "a mixture keeps at least the \(whole.chosenExperts) experts that a token runs through")
      }
    }
  }

  /// Refuses a structure that a model of these sizes cannot have.
  ///
  /// - Throws: ``PlanError`` that says what would be right.
  public func check(for whole: PrunableSizes) throws(PlanError) {
    try checkSizes(for: whole)
    let kept = keptBlocks(of: whole)
    for block in cuts.keys.sorted() where !kept.contains(block) {
      throw Self.error("block \(block), of which something is removed, does not stay")
    }
    let sizes = sizes(of: whole)
    for block in kept {
      let cut = cuts[block] ?? Cut()
      try Self.check(
        cut.neurons, leaving: sizes.neurons, of: whole.neurons, "neurons", ofBlock: block)
      try Self.check(
        cut.keyValueHeads, leaving: sizes.keyValueHeads, of: whole.keyValueHeads, "kv_heads",
        ofBlock: block)
      guard whole.mixtures.contains(block) else {
        guard cut.experts.isEmpty else { throw Self.error("block \(block) has no experts") }
        continue
      }
      try Self.check(
        cut.experts, leaving: sizes.experts, of: whole.experts, "experts", ofBlock: block)
    }
  }

  private static func check(
    _ removed: [Int], leaving kept: Int, of all: Int, _ name: String, ofBlock block: Int
  ) throws(PlanError) {
    if removed.isEmpty && kept < all {
      throw error("it is not said which \(name) block \(block) loses to keep \(kept) of \(all)")
    }
    if let last = removed.last, last >= all {
      throw error("block \(block) has no \(last) among its \(all) \(name)")
    }
    guard all - removed.count == kept else {
      throw error(
        "block \(block) would keep \(all - removed.count) of its \(name), not \(kept) of \(all)")
    }
  }

  private static func error(_ reason: String) -> PlanError {
    PlanError(reason: "structure: \(reason)")
  }
}
