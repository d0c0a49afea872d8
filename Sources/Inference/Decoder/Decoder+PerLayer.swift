import Checkpoints
import Tensors

/// What blocks' own embeddings are made of: a table that holds those of all blocks side by side, and a projection of the model's.
struct PerLayerTable: Sendable {
  let facts: PerLayerFacts
  /// Tokens x (blocks x size), which are looked up.
  var embedding: LayerWeights
  /// (Blocks x size) x hidden size.
  let projection: LayerWeights
  let norm: [Float]

  /// What tokens that were looked up are multiplied by.
  var scale: Float { Float(facts.size).squareRoot() }
  /// What the sum of both parts is multiplied by.
  static let mean = Float(0.5).squareRoot()

  /// The rows of the projection, and the columns of the table, that are of one block.
  func places(ofBlock block: Int) -> Range<Int> { block * facts.size..<(block + 1) * facts.size }
}

/// What a block computes with its own embeddings; rows are tokens.
struct PerLayerActivations {
  /// The projection of the model's embeddings before its norm.
  let projected: Matrix
  /// The gate's outputs and the block's embeddings side by side.
  let gated: Matrix
  /// What the block's projection reads.
  let inner: Matrix
  /// What it makes of it.
  let output: Matrix
}

/// What follows the halves of a block (Gemma 3n's per-layer embeddings, Gemma 4).
extension Decoder {
  /// Adds what a block makes of its own embeddings to the hidden states, and multiplies these by the block's number.
  func finish(
    block index: Int, on hidden: inout Matrix, _ positions: Positions,
    observer: Observer = { _ in }
  ) {
    let block = blocks[index]
    if let activations = perLayerActivations(ofBlock: index, hidden, positions.tokens) {
      observer(SiteInputs(site: .perLayerInput(block: index), vectors: hidden))
      observer(SiteInputs(site: .perLayerOutput(block: index), vectors: activations.inner))
      hidden.add(inputs(of: activations.output, under: .perLayerNorm, in: block))
    }
    if block.outputScale != 1 { hidden.scale(by: block.outputScale) }
  }

  /// nil for blocks without embeddings of their own.
  func perLayerActivations(
    ofBlock index: Int, _ hidden: Matrix, _ tokens: [Int]
  ) -> PerLayerActivations? {
    guard let layers = blocks[index].perLayer, let perLayer else { return nil }
    precondition(tokens.count == hidden.rows, "a token for each row")
    let places = perLayer.places(ofBlock: index)
    var projected = pool.products(
      of: embedded(tokens), with: [LayerPart(perLayer.projection, rows: places)], .exact)
    projected.scale(by: perLayerProjectionScale)
    var own = projected.rmsNormalized(by: perLayer.norm, epsilon: epsilon)
    var lookedUp = perLayer.embedding.decoded(rows: tokens).columns(in: [places])
    lookedUp.scale(by: perLayer.scale)
    own.add(lookedUp)
    own.scale(by: PerLayerTable.mean)
    let gated = layers.gate.outputs(of: hidden, on: pool, arithmetic).beside(own)
    let inner = gated.gated(layers.facts.activation.function)
    return PerLayerActivations(
      projected: projected, gated: gated, inner: inner,
      output: layers.output.outputs(of: inner, on: pool, arithmetic))
  }

  /// What divides the projection of the model's embeddings.
  var perLayerProjectionScale: Float { 1 / Float(blueprint.hiddenSize).squareRoot() }
}
