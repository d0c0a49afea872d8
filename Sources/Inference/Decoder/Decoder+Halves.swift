import Checkpoints
import Glibc
import Tensors

/// What a block's attention computes from hidden states; rows are positions.
struct AttentionActivations {
  /// What q, k and v read.
  let normalized: Matrix
  /// Queries, keys and values side by side as they were projected; the same as `projected` where nothing norms them.
  let raw: Matrix
  /// The same, queries and keys normalised and turned.
  let projected: Matrix
  /// What o reads.
  let attended: Matrix
  /// What o makes of it.
  let output: Matrix
}

/// What an MLP computes from what it reads; rows are tokens.
struct MLPActivations {
  /// The outputs of gate and up side by side, or of up alone.
  let projected: Matrix
  /// What down reads.
  let inner: Matrix
  /// What down makes of it.
  let output: Matrix
}

/// The two halves of a block: attention and feed-forward.
extension Decoder {
  /// Adds what a block's attention computes to the hidden states.
  func attend(
    block index: Int, on hidden: inout Matrix, _ positions: Positions, cache: inout BlockCache,
    observer: Observer = { _ in }
  ) {
    let activations = attentionActivations(
      block: index, of: hidden, positions, cache: &cache)
    observer(
      SiteInputs(site: .attention(block: index), vectors: activations.normalized))
    observer(
      SiteInputs(site: .attentionOutput(block: index), vectors: activations.attended))
    hidden.add(residual(of: activations.output, after: .attentionPostNorm, in: blocks[index]))
  }

  /// Adds what a block's feed-forward half computes to the hidden states.
  func feedForward(
    block index: Int, on hidden: inout Matrix, observer: Observer = { _ in }
  ) {
    let block = blocks[index]
    let inputs = inputs(of: hidden, under: .feedForwardNorm, in: block)
    let output: Matrix
    switch block.feedForward {
    case .dense(let facts, let layers, let down):
      let activations = mlpActivations(
        of: inputs, activation: facts.activation, isGated: facts.isGated, layers, down,
        at: .feedForwardOutput(block: index))
      observer(
        SiteInputs(site: .feedForward(block: index), vectors: inputs))
      observer(
        SiteInputs(site: .feedForwardOutput(block: index), vectors: activations.inner))
      output = activations.output
    case .experts(let experts):
      output = outputs(of: experts, inputs: inputs, block: index, observer: observer)
    }
    hidden.add(residual(of: output, after: .feedForwardPostNorm, in: block))
  }

  /// What the last layer of a block's feed-forward half reads; nil for experts, each of which reads its own.
  func outputInputs(ofBlock index: Int, _ hidden: Matrix) -> Matrix? {
    let block = blocks[index]
    guard case .dense(let facts, let layers, _) = block.feedForward else { return nil }
    return innerActivations(
      of: inputs(of: hidden, under: .feedForwardNorm, in: block), activation: facts.activation,
      isGated: facts.isGated, layers
    ).inner
  }

  /// Adds to the hidden states what that layer makes of it.
  func addOutput(ofBlock index: Int, reading read: Matrix, to hidden: inout Matrix) {
    let block = blocks[index]
    guard case .dense(_, _, let down) = block.feedForward else { return }
    let output = outputs(of: read, through: down, at: .feedForwardOutput(block: index))
    hidden.add(residual(of: output, after: .feedForwardPostNorm, in: block))
  }

  /// What a half of a block reads of hidden states.
  func inputs(of hidden: Matrix, under norm: Part, in block: DecoderBlock) -> Matrix {
    block.norms[norm].map { normalized(hidden, by: $0) } ?? hidden
  }

  /// What is added to the hidden states of a half's output.
  private func residual(of output: Matrix, after norm: Part, in block: DecoderBlock) -> Matrix {
    var residual = block.norms[norm].map { normalized(output, by: $0) } ?? output
    if block.facts.residualScale != 1 { residual.scale(by: block.facts.residualScale) }
    return residual
  }

  /// What a block's attention computes; keys and values go to the cache.
  func attentionActivations(
    block index: Int, of hidden: Matrix, _ positions: Positions, cache: inout BlockCache
  ) -> AttentionActivations {
    let block = blocks[index]
    let facts = block.facts.attention
    let normalized = inputs(of: hidden, under: .attentionNorm, in: block)
    var projected = block.attentionInputs.outputs(of: normalized, on: pool, arithmetic)
    let raw = projected
    for (part, columns) in facts.normedColumns {
      guard let norm = block.norms[part] else { continue }
      projected.rmsNormalizeParts(
        columns: columns, size: norm.weights.count, by: norm.weights, epsilon: epsilon)
    }
    turn(&projected, positions, facts)
    cache.append(projected, keyColumn: facts.queryWidth)
    let attended = block.attention.attend(
      queries: projected, keys: cache.keys, values: cache.values, on: pool)
    return AttentionActivations(
      normalized: normalized, raw: raw, projected: projected, attended: attended,
      output: outputs(
        of: attended, through: block.attentionOutput, at: .attentionOutput(block: index)))
  }

  /// Turns queries and keys by their positions, and lets queries grow with theirs; or turns gradients back.
  func turn(
    _ projected: inout Matrix, _ positions: Positions, _ facts: AttentionFacts,
    isGradient: Bool = false
  ) {
    let heads = facts.headCount + facts.keyValueHeadCount
    for (row, position) in positions.range.enumerated() {
      if let rope = facts.rope {
        let rotation = positions.rotations[rope][row]
        // Queries and keys lie side by side, so one call turns both.
        projected.rotate(
          row: row, column: 0, heads: heads, headSize: facts.headSize,
          by: isGradient ? rotation.inverse : rotation)
      }
      if let growth = facts.queryGrowth {
        let factor =
          1 + growth.beta * log(1 + (Float(position) / Float(growth.length)).rounded(.down))
        let start = row * projected.columns
        for place in start..<start + facts.queryWidth { projected.values[place] *= factor }
      }
    }
  }

  /// What an MLP computes of what it reads; the site is its last layer's, unless that reads all in any case.
  func mlpActivations(
    of inputs: Matrix, activation: ActivationKind, isGated: Bool, _ layers: Projection,
    _ down: Projection, at site: InputSite? = nil
  ) -> MLPActivations {
    let (projected, inner) = innerActivations(
      of: inputs, activation: activation, isGated: isGated, layers)
    return MLPActivations(
      projected: projected, inner: inner, output: outputs(of: inner, through: down, at: site))
  }

  /// What an MLP's first layers compute, and what its last one reads.
  func innerActivations(
    of inputs: Matrix, activation: ActivationKind, isGated: Bool, _ layers: Projection
  ) -> (projected: Matrix, inner: Matrix) {
    let projected = layers.outputs(of: inputs, on: pool, arithmetic)
    let inner =
      isGated ? projected.gated(activation.function) : projected.activated(activation.function)
    return (projected, inner)
  }
}

extension AttentionFacts {
  /// The columns of queries and of keys, by the norm that they may be under.
  var normedColumns: [(norm: Part, columns: Range<Int>)] {
    [(.queryNorm, 0..<queryWidth), (.keyNorm, queryWidth..<queryWidth + keyWidth)]
  }
}

extension ActivationKind {
  var function: Activation {
    switch self {
    case .silu: .silu
    case .geluTanh: .geluTanh
    case .gelu: .gelu
    case .relu: .relu
    }
  }
}
