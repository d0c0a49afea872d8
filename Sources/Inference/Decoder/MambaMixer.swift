import Checkpoints
import Glibc
import Tensors

/// A block's Mamba-2 beside its two layers and its norm.
struct MambaMixer: RecurrentMixer {
  let facts: MambaFacts
  /// The recurrence: what is read from states are queries to it, what is written to them are keys, and channels are values.
  let rule: GatedDelta
  let convolution: ShortConvolution
  /// What is added to convolved channels; nil for none.
  private let bias: [Float]?
  /// What is added to the numbers that steps follow from; one a head.
  private let steps: [Float]
  /// What a step is multiplied by for the logarithm of how much stays; negative, one a head.
  private let decays: [Float]
  /// How much of a head's channels it gives as they are.
  private let skips: [Float]

  init(
    _ facts: MambaFacts, convolution: [Float], bias: [Float]?, steps: [Float], decays: [Float],
    skips: [Float]
  ) {
    self.facts = facts
    rule = GatedDelta(
      keyHeadCount: facts.groupCount, valueHeadCount: facts.headCount, keySize: facts.stateSize,
      valueSize: facts.headSize, corrects: false)
    self.convolution = ShortConvolution(weights: convolution, channels: facts.mixedWidth)
    self.bias = bias
    self.steps = steps
    self.decays = decays
    self.skips = skips
  }

  /// Where what is read with, what is written with, and channels are among those that were convolved: the recurrence's order.
  var order: [Range<Int>] {
    let (width, shared) = (facts.width, facts.groupCount * facts.stateSize)
    return [width + shared..<width + 2 * shared, width..<width + shared, 0..<width]
  }

  /// What becomes of consecutive positions; inputs are gates, channels and steps side by side.
  func run(_ inputs: Matrix, after state: inout RecurrentState, on pool: WorkerPool) -> MambaSteps {
    var convolved = convolution.outputs(
      of: inputs.columns(in: [facts.mixed]), after: &state.window)
    if let bias { convolved.addToRows(bias) }
    let ordered = convolved.activated(.silu).columns(in: order)
    let (retentions, rates) = weights(inputs)
    var outputs = rule.outputs(
      of: ordered, retentions: retentions, rates: rates, state: &state.values, on: pool)
    outputs.add(scaled(ordered.columns(in: [ordered.columns - facts.width..<ordered.columns])))
    state.advance(by: inputs.rows)
    return MambaSteps(
      convolved: convolved, inputs: ordered, retentions: retentions, rates: rates,
      outputs: outputs)
  }

  /// Each head's channels as much as the head gives as they are.
  func scaled(_ channels: Matrix) -> Matrix {
    let row = skips.flatMap { Array(repeating: $0, count: facts.headSize) }
    var result = channels
    result.multiply(
      by: Matrix(
        rows: channels.rows, columns: channels.columns,
        values: Array(repeatElement(row, count: channels.rows).joined())))
    return result
  }

  /// The columns that are normalised by themselves, with their weights.
  func normedParts(by norm: Norm?) -> [(columns: Range<Int>, weights: [Float])] {
    guard let norm else { return [] }
    let size = facts.width / facts.groupCount
    return (0..<facts.groupCount).map { group in
      let columns = group * size..<(group + 1) * size
      return (columns, Array(norm.weights[columns]))
    }
  }

  /// How much of the state stays, exp(A step), and how much of what is new goes into it: the step, softplus(d + bias).
  private func weights(_ inputs: Matrix) -> (retentions: Matrix, rates: Matrix) {
    var retentions = Matrix(rows: inputs.rows, columns: facts.headCount)
    var rates = retentions
    for row in 0..<inputs.rows {
      for head in 0..<facts.headCount {
        let step = inputs[row, facts.steps.lowerBound + head] + steps[head]
        // Beyond 20 a softplus is its argument, as in PyTorch.
        let softplus = step > 20 ? step : log1p(exp(step))
        rates[row, head] = softplus
        retentions[row, head] = exp(decays[head] * softplus)
      }
    }
    return (retentions, rates)
  }

  /// The gradient at what steps follow from, given those at retentions and rates: positions x heads.
  func gradient(at inputs: Matrix, _ run: MambaSteps, retentions: Matrix, rates: Matrix) -> Matrix {
    var result = Matrix(rows: inputs.rows, columns: facts.headCount)
    for row in 0..<inputs.rows {
      for head in 0..<facts.headCount {
        let step = inputs[row, facts.steps.lowerBound + head] + steps[head]
        let atStep =
          rates[row, head] + retentions[row, head] * run.retentions[row, head] * decays[head]
        result[row, head] = atStep / (1 + exp(-step))
      }
    }
    return result
  }
}

/// What consecutive positions are on their way through convolution and recurrence.
struct MambaSteps: RecurrentSteps {
  let convolved: Matrix
  /// What the recurrence reads.
  let inputs: Matrix
  let retentions: Matrix
  let rates: Matrix
  let outputs: Matrix

  func followed(by other: MambaSteps) -> MambaSteps {
    MambaSteps(
      convolved: convolved.above(other.convolved), inputs: inputs.above(other.inputs),
      retentions: retentions.above(other.retentions), rates: rates.above(other.rates),
      outputs: outputs.above(other.outputs))
  }
}

/// What a block's Mamba-2 computes from hidden states; rows are positions.
struct MambaActivations {
  /// What the first layer reads.
  let normalized: Matrix
  /// Gates, channels and steps side by side.
  let projected: Matrix
  let steps: MambaSteps
  /// Gates, and the heads' outputs, side by side.
  let gated: Matrix
  /// The outputs times their activated gates.
  let weighed: Matrix
  /// What the last layer reads.
  let attended: Matrix
  let output: Matrix
}

extension Decoder {
  /// What a block's Mamba-2 computes; its state goes on.
  func mambaActivations(
    _ mixer: MambaMixer, block index: Int, of hidden: Matrix, cache: inout BlockCache
  ) -> MambaActivations {
    let block = blocks[index]
    let normalized = inputs(of: hidden, under: .attentionNorm, in: block)
    let projected = block.attentionInputs.outputs(of: normalized, on: pool, arithmetic)
    let steps = cache.run(mixer, projected, on: pool)
    let gated = projected.columns(in: [mixer.facts.gates]).beside(steps.outputs)
    let weighed = gated.gated(.silu)
    var attended = weighed
    for part in mixer.normedParts(by: block.norms[.mambaNorm]) {
      attended.rmsNormalizeParts(
        columns: part.columns, size: part.columns.count, by: part.weights, epsilon: epsilon)
    }
    return MambaActivations(
      normalized: normalized, projected: projected, steps: steps, gated: gated, weighed: weighed,
      attended: attended,
      output: block.attentionOutput.outputs(of: attended, on: pool, arithmetic))
  }
}
