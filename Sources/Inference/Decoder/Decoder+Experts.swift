import Checkpoints
import Tensors

/// Mixtures of experts: a router sends each token through a few of them.
extension Decoder {
  /// The sum of what the chosen experts, and those beside them, make of each row of hidden states.
  func outputs(
    of experts: ExpertLayers, reading hidden: Matrix, block: Int, observer: Observer
  ) -> Matrix {
    let layers = blocks[block]
    let inputs = expertInputs(of: hidden, in: layers)
    var sum = expertSum(experts, inputs, block, observer)
    guard experts.beside != nil, let dense = denseActivations(beside: experts, hidden, in: layers)
    else { return sum }
    observer(SiteInputs(site: .feedForward(block: block), vectors: dense.read))
    observer(SiteInputs(site: .feedForwardOutput(block: block), vectors: dense.mlp.inner))
    sum = self.inputs(of: sum, under: .expertPostNorm, in: layers)
    sum.add(self.inputs(of: dense.mlp.output, under: .densePostNorm, in: layers))
    return sum
  }

  /// What experts read, and what the router does.
  func expertInputs(of hidden: Matrix, in block: DecoderBlock) -> (read: Matrix, routed: Matrix) {
    guard let norm = block.experts?.routerNorm else {
      let read = inputs(of: hidden, under: .feedForwardNorm, in: block)
      return (read, read)
    }
    return (inputs(of: hidden, under: .expertNorm, in: block), normalized(hidden, by: norm))
  }

  /// What the MLP beside experts reads and computes; nil where there is none.
  func denseActivations(
    beside experts: ExpertLayers, _ hidden: Matrix, in block: DecoderBlock
  ) -> (read: Matrix, mlp: MLPActivations)? {
    guard let layers = experts.beside, let facts = experts.facts.beside else { return nil }
    let read = inputs(of: hidden, under: .feedForwardNorm, in: block)
    return (
      read,
      mlpActivations(
        of: read, activation: facts.activation, isGated: facts.isGated, layers.inputs,
        layers.output)
    )
  }

  /// The sum of what the chosen experts, and the shared one, make of each row.
  func expertSum(
    _ experts: ExpertLayers, _ inputs: (read: Matrix, routed: Matrix), _ block: Int,
    _ observer: Observer
  ) -> Matrix {
    let routing = routing(of: experts, inputs.routed)
    let inputs = inputs.read
    var sum = Matrix(rows: inputs.rows, columns: inputs.columns)
    for (expert, choices) in routing.choices.enumerated() where !choices.isEmpty {
      let rows = choices.map(\.row)
      let read = inputs.gathering(rows)
      let activations = expertActivations(experts, expert, read)
      observer(
        SiteInputs(site: .expertInput(block: block), expert: expert, vectors: read, rows: rows))
      observer(
        SiteInputs(
          site: .expertOutput(block: block), expert: expert, vectors: activations.inner,
          rows: rows, outputs: (activations.output, choices.map(\.weight))))
      sum.scatter(activations.output, choices)
    }
    if let shared = experts.shared {
      let activations = mlpActivations(
        of: inputs, activation: experts.facts.activation, isGated: true, shared.inputs,
        shared.output)
      observer(
        SiteInputs(site: .feedForward(block: block), vectors: inputs))
      observer(
        SiteInputs(site: .sharedOutput(block: block), vectors: activations.inner))
      var output = activations.output
      if let gates = sharedGates(of: experts, inputs) { output.scaleRows(by: gates) }
      sum.add(output)
    }
    return sum
  }

  func routing(of experts: ExpertLayers, _ inputs: Matrix) -> Routing {
    var logits = pool.products(of: inputs, with: [experts.router])
    if let bias = experts.routerBias { logits.addToRows(bias) }
    for row in 0..<logits.rows {
      for expert in experts.removed { logits[row, expert] = -.infinity }
    }
    return Routing(
      logits, experts.facts, bias: experts.choiceBias, scales: experts.scales)
  }

  /// How much the shared expert counts for each row; nil where it counts whole.
  func sharedGates(of experts: ExpertLayers, _ inputs: Matrix) -> [Float]? {
    experts.sharedRouter.map { router in
      pool.products(of: inputs, with: [router]).values.map(Routing.sigmoid)
    }
  }

  /// What one expert makes of the tokens that it reads.
  func expertActivations(
    _ experts: ExpertLayers, _ expert: Int, _ read: Matrix
  ) -> MLPActivations {
    let projected = outputs(of: experts.inputs, ofExpert: expert, of: experts, reading: read)
    let inner = projected.gated(experts.facts.activation.function)
    let output = outputs(of: experts.output, ofExpert: expert, of: experts, reading: inner)
    return MLPActivations(projected: projected, inner: inner, output: output)
  }

  /// What one expert's rows of stacks make of the tokens that it reads.
  private func outputs(
    of layers: Projection, ofExpert expert: Int, of experts: ExpertLayers, reading read: Matrix
  ) -> Matrix {
    var outputs = pool.products(
      of: read, with: layers.parts(ofExpert: expert, of: experts), arithmetic)
    if let bias = layers.bias(ofExpert: expert, of: experts) { outputs.addToRows(bias) }
    return outputs
  }
}

extension Projection {
  /// The rows of stacks that belong to one expert.
  func parts(ofExpert expert: Int, of experts: ExpertLayers) -> [LayerPart] {
    weights.map { stack in
      let rows = stack.rows / experts.facts.count
      return LayerPart(stack, rows: expert * rows..<(expert + 1) * rows)
    }
  }

  /// The biases of these rows, side by side; nil where no stack has any.
  func bias(ofExpert expert: Int, of experts: ExpertLayers) -> [Float]? {
    guard let bias else { return nil }
    var (first, part) = (0, [Float]())
    for stack in weights {
      let rows = stack.rows / experts.facts.count
      part += bias[first + expert * rows..<first + (expert + 1) * rows]
      first += stack.rows
    }
    return part
  }
}

extension Matrix {
  /// Some rows as a matrix, in the given order.
  func gathering(_ rows: [Int]) -> Matrix {
    Matrix(rows: rows.count, columns: columns, values: rows.flatMap { row($0) })
  }

  /// Adds the rows of `other` to those that the choices name, each times its weight.
  mutating func scatter(_ other: Matrix, _ choices: [Routing.Choice]) {
    for (place, choice) in choices.enumerated() {
      let (to, from) = (choice.row * columns, place * columns)
      for column in 0..<columns {
        values[to + column] += choice.weight * other.values[from + column]
      }
    }
  }

  /// Multiplies each row by a factor of its own.
  mutating func scaleRows(by factors: [Float]) {
    for (row, factor) in factors.enumerated() {
      for place in row * columns..<(row + 1) * columns { values[place] *= factor }
    }
  }
}
