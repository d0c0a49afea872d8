import Checkpoints
import Tensors

/// A block's gated short convolution beside its two layers.
struct ConvolutionMixer: RecurrentMixer {
  let facts: ConvolutionFacts
  let convolution: ShortConvolution

  init(_ facts: ConvolutionFacts, weights: [Float]) {
    self.facts = facts
    convolution = ShortConvolution(weights: weights, channels: facts.channels)
  }

  /// What becomes of consecutive positions; inputs are the three projections side by side.
  func run(
    _ inputs: Matrix, after state: inout RecurrentState, on pool: WorkerPool
  ) -> ConvolutionSteps {
    var mixed = inputs.columns(in: [facts.values])
    mixed.multiply(by: inputs.columns(in: [facts.gates]))
    let convolved = convolution.outputs(of: mixed, after: &state.window)
    var gated = convolved
    gated.multiply(by: inputs.columns(in: [facts.outputGates]))
    state.advance(by: inputs.rows)
    return ConvolutionSteps(convolved: convolved, gated: gated)
  }

  /// The gradient at the three projections of a whole sequence, given that at what the last layer reads.
  func gradient(at inputs: Matrix, _ steps: ConvolutionSteps, gated atGated: Matrix) -> Matrix {
    var atConvolved = atGated
    atConvolved.multiply(by: inputs.columns(in: [facts.outputGates]))
    var atOutputGates = atGated
    atOutputGates.multiply(by: steps.convolved)
    let atMixed = convolution.gradient(outputs: atConvolved)
    var (atGates, atValues) = (atMixed, atMixed)
    atGates.multiply(by: inputs.columns(in: [facts.values]))
    atValues.multiply(by: inputs.columns(in: [facts.gates]))
    return atGates.beside(atOutputGates).beside(atValues)
  }
}

/// What consecutive positions are on their way through a gated convolution.
struct ConvolutionSteps: RecurrentSteps {
  let convolved: Matrix
  /// What the last layer reads.
  let gated: Matrix

  func followed(by other: ConvolutionSteps) -> ConvolutionSteps {
    ConvolutionSteps(
      convolved: convolved.above(other.convolved), gated: gated.above(other.gated))
  }
}

/// What a block's gated convolution computes from hidden states; rows are positions.
struct ConvolutionActivations {
  /// What the first layer reads.
  let normalized: Matrix
  /// The three projections side by side.
  let projected: Matrix
  let steps: ConvolutionSteps
  let output: Matrix
}

extension Decoder {
  /// What a block's gated convolution computes; its state goes on.
  func convolutionActivations(
    _ mixer: ConvolutionMixer, block index: Int, of hidden: Matrix, cache: inout BlockCache
  ) -> ConvolutionActivations {
    let block = blocks[index]
    let normalized = inputs(of: hidden, under: .attentionNorm, in: block)
    let projected = block.attentionInputs.outputs(of: normalized, on: pool, arithmetic)
    let steps = cache.run(mixer, projected, on: pool)
    return ConvolutionActivations(
      normalized: normalized, projected: projected, steps: steps,
      output: block.attentionOutput.outputs(of: steps.gated, on: pool, arithmetic))
  }
}
