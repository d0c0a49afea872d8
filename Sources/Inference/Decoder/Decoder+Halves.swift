import Checkpoints
import Glibc
import Tensors

/// What a block's attention computes from hidden states; rows are positions.
struct AttentionActivations {
  /// What q, k and v read.
  let normalized: Matrix
  /// Queries, keys and values side by side as they were projected, and gates after them where there are some.
  let raw: Matrix
  /// The same, queries and keys normalised and turned.
  let projected: Matrix
  /// What the heads give.
  let ungated: Matrix
  /// What o reads.
  let attended: Matrix
  /// The rows that queries, keys and values followed from; nil where they were projected.
  let latent: LatentActivations?
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
    let (read, attended, output): (Matrix, Matrix, Matrix)
    var latent: LatentActivations?
    switch blocks[index].mixer {
    case .attention(let attention):
      let activations = attentionActivations(
        attention, block: index, of: hidden, positions, cache: &cache)
      (read, attended, output) = (
        activations.normalized, activations.attended, activations.output
      )
      latent = activations.latent
    case .delta(let mixer):
      let activations = deltaActivations(mixer, block: index, of: hidden, cache: &cache)
      (read, attended, output) = (
        activations.normalized, activations.attended, activations.output
      )
    case .convolution(let mixer):
      let activations = convolutionActivations(mixer, block: index, of: hidden, cache: &cache)
      (read, attended, output) = (
        activations.normalized, activations.steps.gated, activations.output
      )
    case .mamba(let mixer):
      let activations = mambaActivations(mixer, block: index, of: hidden, cache: &cache)
      (read, attended, output) = (
        activations.normalized, activations.attended, activations.output
      )
    }
    observer(SiteInputs(site: .attention(block: index), vectors: read))
    if let read = latent?.queryRead {
      observer(SiteInputs(site: .queryUp(block: index), vectors: read))
    }
    if let read = latent?.read {
      observer(SiteInputs(site: .latentUp(block: index), vectors: read))
    }
    observer(SiteInputs(site: .attentionOutput(block: index), vectors: attended))
    hidden.add(residual(of: output, after: .attentionPostNorm, in: blocks[index]))
  }

  /// Adds what a block's feed-forward half computes to the hidden states, and what follows it.
  func feedForward(
    block index: Int, on hidden: inout Matrix, _ positions: Positions,
    observer: Observer = { _ in }
  ) {
    addFeedForward(block: index, on: &hidden, observer: observer)
    finish(block: index, on: &hidden, positions, observer: observer)
  }

  /// Adds what a block's feed-forward half computes to the hidden states.
  func addFeedForward(
    block index: Int, on hidden: inout Matrix, observer: Observer = { _ in }
  ) {
    let block = blocks[index]
    let output: Matrix
    switch block.feedForward {
    case .dense(let facts, let layers, let down):
      let inputs = inputs(of: hidden, under: .feedForwardNorm, in: block)
      let activations = mlpActivations(
        of: inputs, activation: facts.activation, isGated: facts.isGated, layers, down,
        at: .feedForwardOutput(block: index))
      observer(
        SiteInputs(site: .feedForward(block: index), vectors: inputs))
      observer(
        SiteInputs(site: .feedForwardOutput(block: index), vectors: activations.inner))
      output = activations.output
    case .experts(let experts):
      output = outputs(of: experts, reading: hidden, block: index, observer: observer)
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

  /// Adds to the hidden states what that layer makes of it, and what follows it.
  func addOutput(
    ofBlock index: Int, reading read: Matrix, to hidden: inout Matrix, _ positions: Positions
  ) {
    let block = blocks[index]
    guard case .dense(_, _, let down) = block.feedForward else { return }
    let output = outputs(of: read, through: down, at: .feedForwardOutput(block: index))
    hidden.add(residual(of: output, after: .feedForwardPostNorm, in: block))
    finish(block: index, on: &hidden, positions)
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

  /// What a block's attention computes; keys and values go to the cache, unless it is another block's.
  ///
  /// - Precondition: the block has attention, and the cache is of such a block.
  func attentionActivations(
    _ attention: Attention, block index: Int, of hidden: Matrix, _ positions: Positions,
    cache: inout BlockCache
  ) -> AttentionActivations {
    let block = blocks[index]
    guard let facts = block.facts.attention else { preconditionFailure("a block with attention") }
    let normalized = inputs(of: hidden, under: .attentionNorm, in: block)
    var projected = block.attentionInputs.outputs(of: normalized, on: pool, arithmetic)
    let latent = block.latent.map { latentActivations(of: $0, facts, block.norms, projected) }
    if let latent { projected = latent.expanded }
    if facts.keysAreValues {
      projected = projected.beside(projected.columns(in: [facts.keyColumns]))
    }
    if let order = facts.gatedOrder { projected = projected.columns(in: order) }
    let raw = projected
    for (columns, norm) in block.normedColumns {
      projected.rmsNormalizeParts(
        columns: columns, size: norm?.count ?? facts.headSize, by: norm, epsilon: epsilon)
    }
    turn(&projected, positions, facts)
    if facts.cacheBlock == nil { cache.append(projected, keyColumn: facts.queryWidth) }
    guard let keys = cache.keys, let values = cache.values else {
      preconditionFailure("the cache is of another block")
    }
    let ungated = attention.attend(queries: projected, keys: keys, values: values, on: pool)
    let attended =
      facts.isGated
      ? projected.columns(in: [facts.gateColumns]).beside(ungated).gated(.sigmoid) : ungated
    return AttentionActivations(
      normalized: normalized, raw: raw, projected: projected, ungated: ungated, attended: attended,
      latent: latent,
      output: outputs(
        of: attended, through: block.attentionOutput, at: .attentionOutput(block: index)))
  }

  /// Turns queries and keys by their positions, and lets queries grow with theirs; or turns gradients back.
  func turn(
    _ projected: inout Matrix, _ positions: Positions, _ facts: AttentionFacts,
    isGradient: Bool = false
  ) {
    let heads = facts.headCount + (facts.cacheBlock == nil ? facts.keyValueHeadCount : 0)
    for (row, position) in positions.range.enumerated() {
      if let rope = facts.rope {
        let rotation = positions.rotations[rope][row]
        // Queries and keys lie side by side, so one call turns both.
        projected.rotate(
          row: row, column: facts.firstTurned, heads: heads, headSize: facts.headSize,
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
  /// Those of keys beside queries, and of values beside both.
  var keyColumns: Range<Int> { queryWidth..<queryWidth + keyWidth }
  var valueColumns: Range<Int> { queryWidth + keyWidth..<queryWidth + 2 * keyWidth }

  /// The columns of gates after queries, keys and values.
  var gateColumns: Range<Int> { queryWidth + 2 * keyWidth..<2 * queryWidth + 2 * keyWidth }

  /// Where queries, keys, values and gates are among the outputs of layers, in which each head's gates follow its query;
  /// nil where there are no gates.
  var gatedOrder: [Range<Int>]? {
    guard isGated else { return nil }
    func parts(_ place: Int) -> [Range<Int>] {
      (0..<headCount).map { head in
        let start = (2 * head + place) * headSize
        return start..<start + headSize
      }
    }
    return parts(0) + [2 * queryWidth..<2 * queryWidth + 2 * keyWidth] + parts(1)
  }
}

extension DecoderBlock {
  /// The columns of queries, keys and values that are normalised, with the norm's weights; nil for a norm without.
  var normedColumns: [(columns: Range<Int>, weights: [Float]?)] {
    guard let attention = facts.attention else { return [] }
    var normed: [(columns: Range<Int>, weights: [Float]?)] = []
    if let norm = norms[.queryNorm] { normed.append((0..<attention.queryWidth, norm.weights)) }
    if let norm = norms[.keyNorm] { normed.append((attention.keyColumns, norm.weights)) }
    if attention.normalizesValues, attention.cacheBlock == nil {
      normed.append((attention.valueColumns, nil))
    }
    return normed
  }
}

extension ActivationKind {
  var function: Activation {
    switch self {
    case .silu: .silu
    case .geluTanh: .geluTanh
    case .gelu: .gelu
    case .relu: .relu
    case .clampedSwiGLU: .clampedSwiGLU
    }
  }
}
