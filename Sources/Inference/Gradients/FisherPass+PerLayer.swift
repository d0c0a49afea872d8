import Checkpoints
import Tensors

/// The way back through what follows the halves of a block.
extension FisherPass {
  /// Turns the gradient after a block, at positions from `row` on, into that after its feed-forward half.
  ///
  /// - Parameters:
  ///   - index: The block.
  ///   - states: What its feed-forward half reads.
  ///   - row: The first position.
  ///   - gradient: After the block; afterwards before what follows its halves.
  mutating func differentiateFinish(
    of index: Int, at states: Matrix, from row: Int, _ gradient: inout Matrix
  ) {
    let block = decoder.blocks[index]
    if block.outputScale != 1 { gradient.scale(by: block.outputScale) }
    guard let layers = block.perLayer, let perLayer = decoder.perLayer else { return }
    var read = states
    decoder.addFeedForward(block: index, on: &read)
    let places = row..<row + states.rows
    let tokens = Array(windows[window][places])
    guard let activations = decoder.perLayerActivations(ofBlock: index, read, tokens),
      let norm = block.norms[.perLayerNorm]
    else { return }
    let (pool, rows) = (decoder.pool, Array(places))
    var atOutput = Matrix(rows: states.rows, columns: states.columns)
    decoder.addGradient(of: norm, at: activations.output, output: gradient, to: &atOutput)
    add(
      layers.output, of: index, at: .perLayerOutput(block: index), rows: rows,
      inputs: activations.inner, gradients: atOutput)
    let atInner = pool.transposedProducts(of: atOutput, with: layers.output.weights)
    let atGated = activations.gated.gatedGradient(
      layers.facts.activation.function, output: atInner)
    let size = layers.facts.size
    let atGate = atGated.columns(in: [0..<size])
    add(
      layers.gate, of: index, at: .perLayerInput(block: index), rows: rows, inputs: read,
      gradients: atGate)
    gradient.add(pool.transposedProducts(of: atGate, with: layers.gate.weights))
    var atOwn = atGated.columns(in: [size..<2 * size])
    atOwn.scale(by: PerLayerTable.mean)
    var atLookup = atOwn
    atLookup.scale(by: perLayer.scale)
    let columns = perLayer.places(ofBlock: index)
    current.atOwnEmbeddings?.add(atLookup, toRow: row, column: columns.lowerBound)
    var atProjected = Matrix(rows: atOwn.rows, columns: size)
    atProjected.addRMSNormGradient(
      at: activations.projected, weight: perLayer.norm, epsilon: decoder.epsilon, output: atOwn)
    atProjected.scale(by: decoder.perLayerProjectionScale)
    let atEmbeddings = pool.transposedProducts(
      of: atProjected, with: [LayerPart(perLayer.projection, rows: columns)])
    current.atEmbeddings?.add(atEmbeddings, toRow: row, column: 0)
  }
}
