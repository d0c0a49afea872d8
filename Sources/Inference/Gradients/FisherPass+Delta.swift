import Checkpoints
import Tensors

/// The way back through a recurrence.
extension FisherPass {
  /// Turns the gradient after a block's Gated DeltaNet, at all positions, into that before it.
  mutating func differentiateDelta(
    _ mixer: DeltaMixer, of index: Int, at states: Matrix, _ gradient: inout Matrix
  ) {
    let (decoder, block) = (decoder, decoder.blocks[index])
    var cache = decoder.makeBlockCache(index)
    let activations = decoder.deltaActivations(mixer, block: index, of: states, cache: &cache)
    differentiateMixer(
      of: index, at: states, read: activations.normalized, attended: activations.attended,
      output: activations.output, &gradient
    ) { atAttended in
      let atOrdered = decoder.gradient(of: mixer, in: block, at: activations, attended: atAttended)
      return mixer.order.map { atOrdered.columns(backFrom: $0, of: atOrdered.columns) } ?? atOrdered
    }
  }

  /// Turns the gradient after a block's gated convolution, at all positions, into that before it.
  mutating func differentiateConvolution(
    _ mixer: ConvolutionMixer, of index: Int, at states: Matrix, _ gradient: inout Matrix
  ) {
    var cache = decoder.makeBlockCache(index)
    let activations = decoder.convolutionActivations(
      mixer, block: index, of: states, cache: &cache)
    differentiateMixer(
      of: index, at: states, read: activations.normalized, attended: activations.steps.gated,
      output: activations.output, &gradient
    ) { mixer.gradient(at: activations.projected, activations.steps, gated: $0) }
  }

  /// Turns the gradient after a block's Mamba-2, at all positions, into that before it.
  mutating func differentiateMamba(
    _ mixer: MambaMixer, of index: Int, at states: Matrix, _ gradient: inout Matrix
  ) {
    let (decoder, block) = (decoder, decoder.blocks[index])
    var cache = decoder.makeBlockCache(index)
    let activations = decoder.mambaActivations(mixer, block: index, of: states, cache: &cache)
    differentiateMixer(
      of: index, at: states, read: activations.normalized, attended: activations.attended,
      output: activations.output, &gradient
    ) { decoder.gradient(of: mixer, in: block, at: activations, attended: $0) }
  }

  /// The way back through the two layers around what stands in attention's place, of which `inner` turns the gradient at what
  /// the last one reads into that at what the first ones give.
  private mutating func differentiateMixer(
    of index: Int, at states: Matrix, read: Matrix, attended: Matrix, output: Matrix,
    _ gradient: inout Matrix, inner: (Matrix) -> Matrix
  ) {
    let (block, pool) = (decoder.blocks[index], decoder.pool)
    let atOutput = decoder.gradient(
      at: output, after: .attentionPostNorm, in: block, residual: gradient)
    let rows = Array(0..<states.rows)
    add(
      block.attentionOutput, of: index, at: .attentionOutput(block: index), rows: rows,
      inputs: attended, gradients: atOutput)
    let atProjected = inner(
      pool.transposedProducts(of: atOutput, with: block.attentionOutput.weights))
    add(
      block.attentionInputs, of: index, at: .attention(block: index), rows: rows, inputs: read,
      gradients: atProjected)
    decoder.addGradient(
      under: .attentionNorm, in: block, at: states,
      output: pool.transposedProducts(of: atProjected, with: block.attentionInputs.weights),
      to: &gradient)
  }
}

extension Decoder {
  /// The gradient at gates, channels and steps, given that at what the last layer reads.
  fileprivate func gradient(
    of mixer: MambaMixer, in block: DecoderBlock, at activations: MambaActivations,
    attended: Matrix
  ) -> Matrix {
    let (facts, steps) = (mixer.facts, activations.steps)
    var atGated = attended
    for part in mixer.normedParts(by: block.norms[.mambaNorm]) {
      atGated.rmsNormalizePartsGradient(
        at: activations.weighed, columns: part.columns, size: part.columns.count,
        by: part.weights, epsilon: epsilon)
    }
    let atBoth = activations.gated.gatedGradient(.silu, output: atGated)
    let atGates = atBoth.columns(in: [0..<facts.width])
    let atOutputs = atBoth.columns(in: [facts.width..<2 * facts.width])
    var (atInputs, atRetentions, atRates) = mixer.rule.gradient(
      at: steps.inputs, retentions: steps.retentions, rates: steps.rates, outputs: atOutputs,
      on: pool)
    atInputs.add(
      mixer.scaled(atOutputs), toRow: 0, column: atInputs.columns - facts.width)
    let atActivated = atInputs.columns(backFrom: mixer.order, of: facts.mixedWidth)
    let atConvolved = steps.convolved.activatedGradient(.silu, output: atActivated)
    let atSteps = mixer.gradient(
      at: activations.projected, steps, retentions: atRetentions, rates: atRates)
    return atGates.beside(mixer.convolution.gradient(outputs: atConvolved)).beside(atSteps)
  }

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
