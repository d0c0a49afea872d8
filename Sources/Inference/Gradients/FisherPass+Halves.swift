import Checkpoints
import Glibc
import Tensors

/// The way back through the two halves of a block.
extension FisherPass {
  /// Turns the gradient after what mixes a block's positions, at all of them, into that before it.
  mutating func differentiateMixer(
    of index: Int, at states: Matrix, _ gradient: inout Matrix
  ) {
    switch decoder.blocks[index].mixer {
    case .attention(let attention):
      differentiateAttention(attention, of: index, at: states, &gradient)
    case .delta(let mixer): differentiateDelta(mixer, of: index, at: states, &gradient)
    case .convolution(let mixer):
      differentiateConvolution(mixer, of: index, at: states, &gradient)
    case .mamba(let mixer): differentiateMamba(mixer, of: index, at: states, &gradient)
    }
  }

  private mutating func differentiateAttention(
    _ attention: Attention, of index: Int, at states: Matrix, _ gradient: inout Matrix
  ) {
    let (block, pool) = (decoder.blocks[index], decoder.pool)
    guard let facts = block.facts.attention else { return }
    let positions = positions
    var cache = current.caches[decoder.cacheBlock(of: index)] ?? decoder.makeBlockCache(index)
    if facts.cacheBlock == nil { cache.truncate(to: 0) }
    let activations = decoder.attentionActivations(
      attention, block: index, of: states, positions, cache: &cache)
    guard let keys = cache.keys, let values = cache.values else { return }
    let atOutput = decoder.gradient(
      at: activations.output, after: .attentionPostNorm, in: block, residual: gradient)
    let rows = Array(0..<states.rows)
    add(
      block.attentionOutput, of: index, at: .attentionOutput(block: index), rows: rows,
      inputs: activations.attended, gradients: atOutput)
    var atAttended = pool.transposedProducts(of: atOutput, with: block.attentionOutput.weights)
    var atGates: Matrix?
    if facts.isGated {
      let gates = activations.projected.columns(in: [facts.gateColumns])
      let both = gates.beside(activations.ungated).gatedGradient(.sigmoid, output: atAttended)
      atGates = both.columns(in: [0..<facts.queryWidth])
      atAttended = both.columns(in: [facts.queryWidth..<2 * facts.queryWidth])
    }
    var atProjected = attention.gradient(
      queries: activations.projected, keys: keys.values, values: values.values,
      output: atAttended, on: pool)
    if let source = facts.cacheBlock {
      // Another block's keys and values: theirs goes back there.
      let atCache = atProjected.columns(in: [facts.queryWidth..<atProjected.columns])
      current.atCaches[
        source, default: Matrix(rows: atCache.rows, columns: atCache.columns)
      ].add(atCache)
      atProjected = atProjected.columns(in: [0..<facts.queryWidth])
    } else if let atCache = current.atCaches[index] {
      atProjected.add(atCache, toRow: 0, column: facts.queryWidth)
    }
    decoder.turn(&atProjected, positions, facts, isGradient: true)
    for (columns, norm) in block.normedColumns {
      atProjected.rmsNormalizePartsGradient(
        at: activations.raw, columns: columns, size: norm?.count ?? facts.headSize, by: norm,
        epsilon: decoder.epsilon)
    }
    if let layers = block.latent, let latent = activations.latent {
      atProjected = differentiateLatent(
        layers, facts, of: index, latent, rows: rows, output: atProjected)
    }
    if facts.keysAreValues {
      let atValues = atProjected.columns(in: [facts.valueColumns])
      atProjected = atProjected.columns(in: [0..<facts.valueColumns.lowerBound])
      atProjected.add(atValues, toRow: 0, column: facts.queryWidth)
    }
    if let atGates, let order = facts.gatedOrder {
      atProjected = atProjected.beside(atGates)
      atProjected = atProjected.columns(backFrom: order, of: atProjected.columns)
    }
    add(
      block.attentionInputs, of: index, at: .attention(block: index), rows: rows,
      inputs: activations.normalized, gradients: atProjected)
    decoder.addGradient(
      under: .attentionNorm, in: block, at: states,
      output: pool.transposedProducts(of: atProjected, with: block.attentionInputs.weights),
      to: &gradient)
  }

  /// Turns the gradient after a block's feed-forward half into that before it, at positions from `row` on.
  mutating func differentiateFeedForward(
    of index: Int, at states: Matrix, from row: Int, _ gradient: inout Matrix
  ) {
    let block = decoder.blocks[index]
    differentiateFinish(of: index, at: states, from: row, &gradient)
    let rows = Array(row..<row + states.rows)
    let atInputs: Matrix
    switch block.feedForward {
    case .dense(let facts, let layers, let down):
      let inputs = decoder.inputs(of: states, under: .feedForwardNorm, in: block)
      let activations = decoder.mlpActivations(
        of: inputs, activation: facts.activation, isGated: facts.isGated, layers, down)
      let atOutput = decoder.gradient(
        at: activations.output, after: .feedForwardPostNorm, in: block, residual: gradient)
      atInputs = differentiateMLP(
        of: index, inputs, activations, facts.activation, isGated: facts.isGated, layers, down,
        at: .feedForwardOutput(block: index), rows: rows, output: atOutput)
    case .experts(let experts):
      let atOutput = decoder.gradient(
        at: decoder.outputs(of: experts, reading: states, block: index) { _ in },
        after: .feedForwardPostNorm, in: block, residual: gradient)
      if experts.beside != nil {
        differentiateBoth(experts, of: index, at: states, rows: rows, output: atOutput, &gradient)
        return
      }
      let inputs = decoder.expertInputs(of: states, in: block)
      let found = differentiateExperts(experts, of: index, inputs, rows: rows, output: atOutput)
      var sum = found.read
      sum.add(found.routed)
      atInputs = sum
    }
    decoder.addGradient(
      under: .feedForwardNorm, in: block, at: states, output: atInputs, to: &gradient)
  }

  /// Adds the gradient that goes through experts, their router and the MLP beside them, given that at their sum.
  private mutating func differentiateBoth(
    _ experts: ExpertLayers, of index: Int, at states: Matrix, rows: [Int], output: Matrix,
    _ gradient: inout Matrix
  ) {
    let block = decoder.blocks[index]
    /// The gradient at an output under a norm, given that at the norm's.
    func atOutput(_ outputs: Matrix, under part: Part) -> Matrix {
      var result = Matrix(rows: outputs.rows, columns: outputs.columns)
      decoder.addGradient(under: part, in: block, at: outputs, output: output, to: &result)
      return result
    }
    if let dense = decoder.denseActivations(beside: experts, states, in: block),
      let layers = experts.beside, let facts = experts.facts.beside
    {
      let atRead = differentiateMLP(
        of: index, dense.read, dense.mlp, facts.activation, isGated: facts.isGated, layers.inputs,
        layers.output, at: .feedForwardOutput(block: index), rows: rows,
        output: atOutput(dense.mlp.output, under: .densePostNorm))
      decoder.addGradient(
        under: .feedForwardNorm, in: block, at: states, output: atRead, to: &gradient)
    }
    let inputs = decoder.expertInputs(of: states, in: block)
    let sum = decoder.expertSum(experts, inputs, index) { _ in }
    let found = differentiateExperts(
      experts, of: index, inputs, rows: rows, output: atOutput(sum, under: .expertPostNorm))
    decoder.addGradient(
      under: .expertNorm, in: block, at: states, output: found.read, to: &gradient)
    guard let norm = experts.routerNorm else { return }
    decoder.addGradient(of: norm, at: states, output: found.routed, to: &gradient)
  }

  /// The gradient at what an MLP reads, given that at its output.
  private mutating func differentiateMLP(
    of index: Int, _ inputs: Matrix, _ activations: MLPActivations, _ activation: ActivationKind,
    isGated: Bool, _ layers: Projection, _ down: Projection, at site: InputSite, rows: [Int],
    output: Matrix
  ) -> Matrix {
    let pool = decoder.pool
    add(down, of: index, at: site, rows: rows, inputs: activations.inner, gradients: output)
    let atInner = pool.transposedProducts(of: output, with: down.weights)
    let function = activation.function
    let atProjected =
      isGated
      ? activations.projected.gatedGradient(function, output: atInner)
      : activations.projected.activatedGradient(function, output: atInner)
    add(
      layers, of: index, at: .feedForward(block: index), rows: rows, inputs: inputs,
      gradients: atProjected)
    return pool.transposedProducts(of: atProjected, with: layers.weights)
  }

  /// The gradients at what a mixture reads and at what its router does, given that at its output: through the experts, and
  /// through how they are weighed.
  private mutating func differentiateExperts(
    _ experts: ExpertLayers, of index: Int, _ inputs: (read: Matrix, routed: Matrix), rows: [Int],
    output: Matrix
  ) -> (read: Matrix, routed: Matrix) {
    let pool = decoder.pool
    let routing = decoder.routing(of: experts, inputs.routed)
    let inputs = inputs.read
    var atInputs = Matrix(rows: inputs.rows, columns: inputs.columns)
    // What the loss gains by weighing an expert more: its output times the gradient there.
    var atWeights = Matrix(rows: inputs.rows, columns: experts.facts.count)
    for (expert, choices) in routing.choices.enumerated() where !choices.isEmpty {
      let read = inputs.gathering(choices.map(\.row))
      let activations = decoder.expertActivations(experts, expert, read)
      var atOutput = output.gathering(choices.map(\.row))
      for (place, choice) in choices.enumerated() {
        let scale = experts.scales?[expert] ?? 1
        atWeights[choice.row, expert] = scale * atOutput.dot(activations.output, row: place)
      }
      atOutput.scaleRows(by: choices.map(\.weight))
      let positions = choices.map { rows[$0.row] }
      let down = experts.output.parts(ofExpert: expert, of: experts)
      add(
        experts.output, of: index, expert: expert, at: .expertOutput(block: index),
        rows: positions, inputs: activations.inner, gradients: atOutput)
      let atInner = pool.transposedProducts(of: atOutput, with: down)
      let atProjected = activations.projected.gatedGradient(
        experts.facts.activation.function, output: atInner)
      add(
        experts.inputs, of: index, expert: expert, at: .expertInput(block: index),
        rows: positions, inputs: read, gradients: atProjected)
      let atRead = pool.transposedProducts(
        of: atProjected, with: experts.inputs.parts(ofExpert: expert, of: experts))
      atInputs.scatter(atRead, choices.map { Routing.Choice(row: $0.row, weight: 1) })
    }
    if let shared = experts.shared {
      atInputs.add(
        differentiateShared(experts, shared, of: index, inputs, rows: rows, output: output))
    }
    let atRouted = pool.transposedProducts(
      of: routing.gradient(atWeights), with: [experts.router])
    return (atInputs, atRouted)
  }

  private mutating func differentiateShared(
    _ experts: ExpertLayers, _ shared: (inputs: Projection, output: Projection), of index: Int,
    _ inputs: Matrix, rows: [Int], output: Matrix
  ) -> Matrix {
    let pool = decoder.pool
    let activation = experts.facts.activation
    let activations = decoder.mlpActivations(
      of: inputs, activation: activation, isGated: true, shared.inputs, shared.output)
    let gates = decoder.sharedGates(of: experts, inputs)
    var atOutput = output
    if let gates { atOutput.scaleRows(by: gates) }
    var atInputs = differentiateMLP(
      of: index, inputs, activations, activation, isGated: true, shared.inputs, shared.output,
      at: .sharedOutput(block: index), rows: rows, output: atOutput)
    if let gates, let router = experts.sharedRouter {
      // The sigmoid's slope times what the loss gains by a larger gate.
      let slopes = gates.enumerated().map { row, gate in
        gate * (1 - gate) * output.dot(activations.output, row: row)
      }
      atInputs.add(
        pool.transposedProducts(
          of: Matrix(rows: slopes.count, columns: 1, values: slopes), with: [router]))
    }
    return atInputs
  }

  /// Adds to the sums of layers that read the same input, their gradients side by side.
  ///
  /// - Parameters:
  ///   - layers: The layers.
  ///   - block: Theirs.
  ///   - expert: The expert of each stack; nil for whole layers.
  ///   - site: Where they read.
  ///   - rows: The positions in the window.
  ///   - inputs: What they read, one row a position.
  ///   - gradients: At their outputs.
  mutating func add(
    _ layers: Projection, of block: Int, expert: Int? = nil, at site: InputSite, rows: [Int],
    inputs: Matrix, gradients: Matrix
  ) {
    var column = 0
    for part in layers.parts {
      // Matrices that are no layers come last.
      guard let layer = names.layer(part, ofBlock: block) else { continue }
      let width = expert == nil ? layer.rows : layer.rows / layer.count
      let energies = sums[layer.name]?.add(
        inputs: inputs, gradients: gradients, columns: column..<column + width,
        row: (expert ?? 0) * width, on: decoder.pool)
      weigh(energies ?? [], at: rows, site: site)
      column += width
    }
  }
}

extension Routing {
  /// The gradient at the router's logits, given that at the weights of the chosen experts.
  ///
  /// - Parameter atWeights: Rows x experts; others than the chosen do not count.
  /// - Returns: Rows x experts.
  func gradient(_ atWeights: Matrix) -> Matrix {
    var result = Matrix(rows: logits.rows, columns: logits.columns)
    for (row, chosen) in ofRow.enumerated() {
      // With p the weights, d loss / d logit_i = p_i (g_i - sum_j p_j g_j), the sum over what shares the one; a sigmoid
      // s_i has its slope's other factor 1 - s_i as well, and shares nothing unless the chosen ones do.
      let shares = kind != .sigmoid
      let mean =
        shares
        ? chosen.reduce(Float(0)) { $0 + $1.weight * atWeights[row, $1.expert] } / scale : 0
      for (expert, weight) in chosen {
        let slope = kind.isSigmoid ? 1 - Self.sigmoid(logits[row, expert]) : 1
        result[row, expert] = weight * slope * (atWeights[row, expert] - mean)
      }
      guard kind == .softmax else { continue }
      let scores = Logits(Array(logits.row(row)))
      let weighed = Set(chosen.map(\.expert))
      for expert in 0..<logits.columns where !weighed.contains(expert) {
        result[row, expert] = -Float(exp(scores.logProbability(of: expert))) * mean * scale
      }
    }
    return result
  }
}

extension Matrix {
  /// The sum of the products of a row's values with those of the same row of `other`.
  fileprivate func dot(_ other: Matrix, row: Int) -> Float {
    zip(self.row(row), other.row(row)).reduce(0) { $0 + $1.0 * $1.1 }
  }
}

extension Decoder {
  /// The gradient at a half's output, given that at what was added to the hidden states.
  ///
  /// The output is computed where a norm follows it only.
  func gradient(
    at output: @autoclosure () -> Matrix, after part: Part, in block: DecoderBlock, residual: Matrix
  ) -> Matrix {
    var gradient = residual
    if block.facts.residualScale != 1 { gradient.scale(by: block.facts.residualScale) }
    guard let norm = block.norms[part] else { return gradient }
    let output = output()
    var result = Matrix(rows: output.rows, columns: output.columns)
    addGradient(of: norm, at: output, output: gradient, to: &result)
    return result
  }

  /// Adds the gradient at hidden states, given that at what a half reads of them.
  func addGradient(
    under part: Part, in block: DecoderBlock, at states: Matrix, output: Matrix,
    to gradient: inout Matrix
  ) {
    if let norm = block.norms[part] {
      addGradient(of: norm, at: states, output: output, to: &gradient)
    } else {
      gradient.add(output)
    }
  }

  /// Adds the gradient at a norm's inputs, given that at its output.
  func addGradient(of norm: Norm, at inputs: Matrix, output: Matrix, to gradient: inout Matrix) {
    switch blueprint.norm {
    case .rms:
      gradient.addRMSNormGradient(
        at: inputs, weight: norm.weights, epsilon: epsilon, output: output)
    case .layer:
      gradient.addLayerNormGradient(
        at: inputs, weight: norm.weights, epsilon: epsilon, output: output)
    }
  }
}
