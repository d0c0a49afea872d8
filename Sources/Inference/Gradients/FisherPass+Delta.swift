import Checkpoints
import Tensors

/// The way back through a recurrence.
extension FisherPass {
  /// Turns the gradient after a block's Gated DeltaNet, at all positions, into that before it.
  mutating func differentiateDelta(
    _ mixer: DeltaMixer, of index: Int, at states: Matrix, _ gradient: inout Matrix
  ) {
    let (block, pool) = (decoder.blocks[index], decoder.pool)
    var cache = decoder.makeBlockCache(index)
    let activations = decoder.deltaActivations(mixer, block: index, of: states, cache: &cache)
    let atOutput = decoder.gradient(
      at: activations.output, after: .attentionPostNorm, in: block, residual: gradient)
    let rows = Array(0..<states.rows)
    add(
      block.attentionOutput, of: index, at: .attentionOutput(block: index), rows: rows,
      inputs: activations.attended, gradients: atOutput)
    let atAttended = pool.transposedProducts(of: atOutput, with: block.attentionOutput.weights)
    let atOrdered = decoder.gradient(of: mixer, in: block, at: activations, attended: atAttended)
    let atProjected =
      mixer.order.map { atOrdered.columns(backFrom: $0, of: atOrdered.columns) } ?? atOrdered
    add(
      block.attentionInputs, of: index, at: .attention(block: index), rows: rows,
      inputs: activations.normalized, gradients: atProjected)
    decoder.addGradient(
      under: .attentionNorm, in: block, at: states,
      output: pool.transposedProducts(of: atProjected, with: block.attentionInputs.weights),
      to: &gradient)
  }
}

extension Decoder {
  /// The gradient at queries, keys, values, gates, rates and retentions, given that at what the last layer reads.
  fileprivate func gradient(
    of mixer: DeltaMixer, in block: DecoderBlock, at activations: DeltaActivations,
    attended: Matrix
  ) -> Matrix {
    let (facts, steps) = (mixer.facts, activations.steps)
    let atHeads =
      mixer.outputOrder.map { attended.columns(backFrom: $0, of: attended.columns) } ?? attended
    let atGated = activations.gated.gatedGradient(.silu, output: atHeads)
    let atGates = atGated.columns(in: [0..<facts.valueWidth])
    var atOutputs = atGated.columns(in: [facts.valueWidth..<2 * facts.valueWidth])
    if let norm = block.norms[.deltaNorm] {
      atOutputs.rmsNormalizePartsGradient(
        at: steps.outputs, columns: 0..<facts.valueWidth, size: norm.weights.count,
        by: norm.weights, epsilon: epsilon)
    }
    var (atInputs, atRetentions, atRates) = mixer.rule.gradient(
      at: steps.inputs, retentions: steps.retentions, rates: steps.rates, outputs: atOutputs,
      on: pool)
    for part in mixer.normedParts {
      atInputs.rmsNormalizePartsGradient(
        at: steps.activated, columns: part.columns, size: facts.keySize, by: part.weights,
        epsilon: mixer.normEpsilon)
    }
    let atConvolved = steps.convolved.activatedGradient(.silu, output: atInputs)
    let atMixed = mixer.convolution.gradient(outputs: atConvolved)
    let atWeights = mixer.gradient(
      at: activations.ordered, steps, retentions: atRetentions, rates: atRates)
    return atMixed.beside(atGates).beside(atWeights)
  }
}
