import Checkpoints
import Compression
import Tensors

extension ModelStructure {
  /// This structure with those neurons and heads removed from each block whose loss costs least KLD.
  ///
  /// A neuron is scored by its column of down, a key and value head by the columns of o that read the heads which share it:
  /// both by the two-sided Fisher estimate of what zeroing these weights costs, the rest of the block as it was.
  /// - Parameters:
  ///   - fishers: Those of all down and o layers, as ``FisherPass`` finds them.
  ///   - decoder: The whole model.
  /// - Returns: A structure that says of each block what it loses.
  /// - Throws: ``InferenceError`` when the model cannot have so many, or a layer was not measured.
  public func choosing(
    by fishers: [String: LayerFisher], in decoder: Decoder
  ) throws(InferenceError) -> ModelStructure {
    try decoder.description.checkSizes(of: self)
    let whole = decoder.description.prunableSizes
    var chosen = self
    chosen.cuts = [:]
    for block in keptBlocks(of: whole) {
      let cut = try cut(ofBlock: block, by: fishers, in: decoder)
      if cut != Cut() { chosen.cuts[block] = cut }
    }
    do {
      try chosen.check(for: whole)
    } catch {
      throw .invalidStructure(error)
    }
    return chosen
  }

  /// The experts that a block loses, so that as many stay as this structure says: those of least saliency.
  ///
  /// - Throws: ``InferenceError`` when the block was not measured.
  public func removedExperts(
    ofBlock block: Int, by saliency: ExpertSaliency, of whole: PrunableSizes
  ) throws(InferenceError) -> [Int] {
    let count = whole.experts - sizes(of: whole).experts
    guard count > 0, whole.mixtures.contains(block) else { return [] }
    guard let scores = saliency.scores[block] else { throw .missing(name: "block \(block)") }
    return Self.least(count, of: scores)
  }

  /// The neurons and heads that a block loses, so that as many stay as this structure says.
  ///
  /// - Parameters: as of ``choosing(by:in:)``.
  /// - Throws: ``InferenceError`` when a layer was not measured.
  public func cut(
    ofBlock block: Int, by fishers: [String: LayerFisher], in decoder: Decoder
  ) throws(InferenceError) -> Cut {
    let model = decoder.description
    let (whole, wanted) = (model.prunableSizes, sizes(of: model.prunableSizes))
    var cut = Cut()
    if wanted.neurons < whole.neurons {
      let scores = try Self.scores(.down, block, fishers, decoder)
      cut.neurons = Self.least(whole.neurons - wanted.neurons, of: scores)
    }
    if wanted.keyValueHeads < whole.keyValueHeads,
      let facts = decoder.blueprint.blocks[block].attention
    {
      let scores = try Self.scores(.attentionOutput, block, fishers, decoder)
      let width = facts.headCount / facts.keyValueHeadCount * facts.headSize
      let groups = (0..<whole.keyValueHeads).map { head in
        scores[head * width..<(head + 1) * width].reduce(0, +)
      }
      cut.keyValueHeads = Self.least(whole.keyValueHeads - wanted.keyValueHeads, of: groups)
    }
    return cut
  }

  /// What removing each input channel of a block's layer costs, in nats a token.
  private static func scores(
    _ part: Part, _ block: Int, _ fishers: [String: LayerFisher], _ decoder: Decoder
  ) throws(InferenceError) -> [Double] {
    let name = LayerNames(decoder.description).layer(part, ofBlock: block)?.name ?? part.rawValue
    guard let fisher = fishers[name], let weights = decoder.weights(of: name) else {
      throw .missing(name: name)
    }
    return fisher.columnDivergences(of: weights.decoded(), on: decoder.pool)
  }

  /// The indices of the `count` least values, ascending; of equals, the first.
  private static func least(_ count: Int, of values: [Double]) -> [Int] {
    let order = values.indices.sorted {
      values[$0] != values[$1] ? values[$0] < values[$1] : $0 < $1
    }
    return order.prefix(count).sorted()
  }
}
