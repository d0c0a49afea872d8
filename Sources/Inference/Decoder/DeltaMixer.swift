import Checkpoints
import Glibc
import Tensors

/// A block's Gated DeltaNet beside its layers and its norm: the convolution, and what decides on retentions and rates.
struct DeltaMixer: RecurrentMixer {
  let facts: DeltaFacts
  let rule: GatedDelta
  let convolution: ShortConvolution
  /// What is added to the numbers that decide how much is forgotten; one a value head.
  let steps: [Float]
  /// What the logarithm of a retention is a multiple of; negative, one a value head.
  let decays: [Float]
  /// Where queries, keys, values, gates, rates and retentions are among the outputs of the first layers; nil for in that order.
  let order: [Range<Int>]?
  /// Where the channels that the last layer reads are among the heads' outputs; nil for in their order.
  let outputOrder: [Range<Int>]?

  init(_ facts: DeltaFacts, convolution: [Float], steps: [Float], decays: [Float]) {
    self.facts = facts
    rule = GatedDelta(
      keyHeadCount: facts.keyHeadCount, valueHeadCount: facts.valueHeadCount,
      keySize: facts.keySize, valueSize: facts.valueSize)
    self.convolution = ShortConvolution(weights: convolution, channels: facts.mixedWidth)
    self.steps = steps
    self.decays = decays
    order = facts.isFused || facts.fusesRates ? Self.order(facts) : nil
    outputOrder =
      facts.tilesOutput
      ? facts.tiling.groupedHeads.map {
        $0 * facts.valueSize..<($0 + 1) * facts.valueSize
      } : nil
  }

  private static func order(_ facts: DeltaFacts) -> [Range<Int>] {
    let projected = facts.mixedWidth + facts.valueWidth
    let fused = facts.fusedColumns
    let inputs =
      facts.isFused
      ? fused.queries + fused.keys + fused.values + fused.gates : [0..<projected]
    guard facts.fusesRates else {
      return inputs + [projected..<projected + 2 * facts.valueHeadCount]
    }
    let heads = facts.tiling.heads
    func shares(_ place: Int) -> [Range<Int>] {
      (0..<facts.keyHeadCount).map { head in
        let start = projected + (2 * head + place) * heads
        return start..<start + heads
      }
    }
    return inputs + shares(0) + shares(1)
  }

  /// The outputs of the first layers as queries, keys, values, gates, rates and retentions.
  func ordered(_ projected: Matrix) -> Matrix {
    order.map { projected.columns(in: $0) } ?? projected
  }

  /// Columns of an ordered matrix.
  var gateColumns: Range<Int> { facts.mixedWidth..<facts.mixedWidth + facts.valueWidth }
  private var rateColumn: Int { gateColumns.upperBound }
  private var retentionColumn: Int { rateColumn + facts.valueHeadCount }

  /// What becomes of consecutive positions in convolution and recurrence.
  func run(
    _ ordered: Matrix, after state: inout RecurrentState, on pool: WorkerPool
  ) -> DeltaSteps {
    let convolved = convolution.outputs(of: ordered, after: &state.window)
    let activated = convolved.activated(.silu)
    var inputs = activated
    for part in normedParts {
      inputs.rmsNormalizeParts(
        columns: part.columns, size: facts.keySize, by: part.weights, epsilon: normEpsilon)
    }
    let (retentions, rates) = weights(ordered)
    let outputs = rule.outputs(
      of: inputs, retentions: retentions, rates: rates, state: &state.values, on: pool)
    state.advance(by: ordered.rows)
    return DeltaSteps(
      convolved: convolved, activated: activated, inputs: inputs, retentions: retentions,
      rates: rates, outputs: outputs)
  }

  /// Added to the mean of squares, so that it is 1e-6 to their sum, as in transformers.
  var normEpsilon: Float { 1e-6 / Float(facts.keySize) }

  /// Queries and keys are normalised to length 1, and queries divided by the root of their size.
  var normedParts: [(columns: Range<Int>, weights: [Float])] {
    let (width, size) = (facts.keyWidth, Float(facts.keySize))
    return [
      (0..<width, Array(repeating: 1 / size, count: facts.keySize)),
      (width..<2 * width, Array(repeating: 1 / size.squareRoot(), count: facts.keySize)),
    ]
  }

  /// How much of the state stays, exp(A softplus(a + bias)), and how much of what is new goes into it, sigmoid(b).
  private func weights(_ ordered: Matrix) -> (retentions: Matrix, rates: Matrix) {
    let heads = facts.valueHeadCount
    var retentions = Matrix(rows: ordered.rows, columns: heads)
    var rates = retentions
    for row in 0..<ordered.rows {
      for head in 0..<heads {
        let step = ordered[row, retentionColumn + head] + steps[head]
        // Beyond 20 a softplus is its argument, as in PyTorch.
        let softplus = step > 20 ? step : log1p(exp(step))
        retentions[row, head] = exp(decays[head] * softplus)
        rates[row, head] = Self.sigmoid(ordered[row, rateColumn + head])
      }
    }
    return (retentions, rates)
  }

  /// The gradients at what decides on rates and retentions, given those at these: positions x (2 x heads).
  func gradient(at ordered: Matrix, _ run: DeltaSteps, retentions: Matrix, rates: Matrix) -> Matrix
  {
    let heads = facts.valueHeadCount
    var result = Matrix(rows: ordered.rows, columns: 2 * heads)
    for row in 0..<ordered.rows {
      for head in 0..<heads {
        let rate = run.rates[row, head]
        result[row, head] = rates[row, head] * rate * (1 - rate)
        let step = ordered[row, retentionColumn + head] + steps[head]
        result[row, heads + head] =
          retentions[row, head] * run.retentions[row, head] * decays[head] * Self.sigmoid(step)
      }
    }
    return result
  }

  private static func sigmoid(_ x: Float) -> Float { 1 / (1 + exp(-x)) }
}

/// What consecutive positions are on their way through convolution and recurrence.
struct DeltaSteps: RecurrentSteps {
  let convolved: Matrix
  let activated: Matrix
  /// Queries and keys normalised.
  let inputs: Matrix
  let retentions: Matrix
  let rates: Matrix
  let outputs: Matrix

  func followed(by other: DeltaSteps) -> DeltaSteps {
    DeltaSteps(
      convolved: convolved.above(other.convolved), activated: activated.above(other.activated),
      inputs: inputs.above(other.inputs), retentions: retentions.above(other.retentions),
      rates: rates.above(other.rates), outputs: outputs.above(other.outputs))
  }
}

/// What a block's recurrence computes from hidden states; rows are positions.
struct DeltaActivations {
  /// What the first layers read.
  let normalized: Matrix
  /// Queries, keys, values, gates, rates and retentions side by side.
  let ordered: Matrix
  let steps: DeltaSteps
  /// Gates, and the heads' outputs under their norm, side by side.
  let gated: Matrix
  /// What the last layer reads.
  let attended: Matrix
  let output: Matrix
}

extension Decoder {
  /// What a block's recurrence computes; its state goes on.
  func deltaActivations(
    _ mixer: DeltaMixer, block index: Int, of hidden: Matrix, cache: inout BlockCache
  ) -> DeltaActivations {
    let block = blocks[index]
    let normalized = inputs(of: hidden, under: .attentionNorm, in: block)
    let ordered = mixer.ordered(
      block.attentionInputs.outputs(of: normalized, on: pool, arithmetic))
    let steps = cache.run(mixer, ordered, on: pool)
    var normed = steps.outputs
    if let norm = block.norms[.deltaNorm] {
      normed.rmsNormalizeParts(
        columns: 0..<normed.columns, size: norm.weights.count, by: norm.weights, epsilon: epsilon)
    }
    let gated = ordered.columns(in: [mixer.gateColumns]).beside(normed)
    var attended = gated.gated(.silu)
    if let order = mixer.outputOrder { attended = attended.columns(in: order) }
    return DeltaActivations(
      normalized: normalized, ordered: ordered, steps: steps, gated: gated, attended: attended,
      output: block.attentionOutput.outputs(of: attended, on: pool, arithmetic))
  }
}
