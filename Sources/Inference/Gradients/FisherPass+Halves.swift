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
    }
  }

  private mutating func differentiateAttention(
    _ attention: Attention, of index: Int, at states: Matrix, _ gradient: inout Matrix
  ) {
    let (block, pool) = (decoder.blocks[index], decoder.pool)
    let positions = positions
    var cache = decoder.makeBlockCache(index)
    let activations = decoder.attentionActivations(
      attention, block: index, of: states, positions, cache: &cache)
    guard let facts = block.facts.attention, let keys = cache.keys, let values = cache.values else {
      return
    }
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
    decoder.turn(&atProjected, positions, facts, isGradient: true)
    for (part, columns) in facts.normedColumns {
      guard let norm = block.norms[part] else { continue }
      atProjected.rmsNormalizePartsGradient(
        at: activations.raw, columns: columns, size: norm.weights.count, by: norm.weights,
        epsilon: decoder.epsilon)
    }
    if let layers = block.latent, let latent = activations.latent {
      atProjected = differentiateLatent(
        layers, facts, of: index, latent, rows: rows, output: atProjected)
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
    let inputs = decoder.inputs(of: states, under: .feedForwardNorm, in: block)
    let rows = Array(row..<row + states.rows)
    let atInputs: Matrix
    switch block.feedForward {
    case .dense(let facts, let layers, let down):
      let activations = decoder.mlpActivations(
        of: inputs, activation: facts.activation, isGated: facts.isGated, layers, down)
      let atOutput = decoder.gradient(
        at: activations.output, after: .feedForwardPostNorm, in: block, residual: gradient)
      atInputs = differentiateMLP(
        of: index, inputs, activations, facts.activation, isGated: facts.isGated, layers, down,
        at: .feedForwardOutput(block: index), rows: rows, output: atOutput)
    case .experts(let experts):
      let atOutput = decoder.gradient(
        at: decoder.outputs(of: experts, inputs: inputs, block: index) { _ in },
        after: .feedForwardPostNorm, in: block, residual: gradient)
      atInputs = differentiateExperts(
        experts, of: index, inputs, rows: rows, output: atOutput)
    }
    decoder.addGradient(
      under: .feedForwardNorm, in: block, at: states, output: atInputs, to: &gradient)
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

  /// The gradient at what a mixture reads, given that at its output: through the experts, and through how they are weighed.
  private mutating func differentiateExperts(
    _ experts: ExpertLayers, of index: Int, _ inputs: Matrix, rows: [Int], output: Matrix
  ) -> Matrix {
    let pool = decoder.pool
    var atInputs = Matrix(rows: inputs.rows, columns: inputs.columns)
    let routing = decoder.routing(of: experts, inputs)
    // What the loss gains by weighing an expert more: its output times the gradient there.
    var atWeights = Matrix(rows: inputs.rows, columns: experts.facts.count)
    for (expert, choices) in routing.choices.enumerated() where !choices.isEmpty {
      let read = inputs.gathering(choices.map(\.row))
      let activations = decoder.expertActivations(experts, expert, read)
      var atOutput = output.gathering(choices.map(\.row))
      for (place, choice) in choices.enumerated() {
        atWeights[choice.row, expert] = atOutput.dot(activations.output, row: place)
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
    atInputs.add(
      pool.transposedProducts(of: routing.gradient(atWeights), with: [experts.router]))
    if let shared = experts.shared {
      atInputs.add(
        differentiateShared(experts, shared, of: index, inputs, rows: rows, output: output))
    }
    return atInputs
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
