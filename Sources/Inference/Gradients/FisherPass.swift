import Checkpoints
import Compression
import Tensors

/// One backward pass through a model, in steps, that collects the ``LayerFisher`` of every layer.
///
/// Each window is read afresh and labels are sampled from what the model expects after each of its tokens; the
/// gradient of the sum of -log p(label) then goes back block by block, through activations only. The hidden states
/// before each half of a block are kept, tokens x hidden each, and all else is computed again, so that memory grows
/// with one window.
///
/// A tied embedding counts twice in its one layer: as the head, and where tokens are looked up, their row read by a
/// one. That is the sum of both Fisher matrices' marginals; what couples lookup and head is left out.
public struct FisherPass: Sendable {
  private let windows: [[Int]]
  private let decoder: Decoder
  private let sampler: Sampler
  private var sums: [String: FisherSums] = [:]
  /// How much each token counts at each site, of the windows that are done.
  public private(set) var tokenWeights = TokenWeights()
  private var window = 0
  private var phase: Phase
  /// Hidden states before each half of a block (even: attention, odd: MLP), and those after the last.
  private var hidden: [Matrix] = []
  /// The gradient at the hidden states that the pass has come back to.
  private var gradient = Matrix(rows: 0, columns: 0)
  private var completedSteps = 0
  private var stepCount = 0
  private let parts: PartLengths
  /// Keys and values of the block that the pass reads on through.
  private var cache: BlockCache

  private enum Phase {
    /// Reads on through half a block, with positions from `row` on.
    case forward(half: Int, row: Int)
    /// Samples labels after positions from `row` on, and goes back through the head.
    case head(row: Int)
    /// Goes back through half a block, with positions from `row` on.
    case backward(half: Int, row: Int)
    case ended
  }

  /// A pass over windows of tokens, each read by itself.
  ///
  /// - Parameters:
  ///   - windows: Tokens as the model reads them, begin tokens included.
  ///   - decoder: The model whose layers are measured.
  ///   - seed: Of the labels.
  /// - Throws: ``InferenceError`` for empty windows, and for tokens that the model cannot read.
  public init(
    windows: [[Int]], decoder: Decoder, seed: UInt64
  ) throws(InferenceError) {
    guard !windows.isEmpty else { throw .emptyInput }
    let empty = decoder.makeCache()
    for window in windows { try decoder.check(window, empty) }
    self.windows = windows
    self.decoder = decoder
    sampler = Sampler(temperature: 1, seed: seed)
    for layer in decoder.description.layers {
      sums[layer.name] = FisherSums(rows: layer.rows, columns: layer.columns)
    }
    parts = PartLengths(of: decoder.description)
    cache = decoder.makeBlockCache()
    phase = .ended
    for window in windows { stepCount += steps(ofWindow: window.count) }
    begin()
  }

  /// Tokens of all windows.
  public var tokenCount: Int { windows.reduce(0) { $0 + $1.count } }

  /// Share of the steps that are done: 0...1.
  public var fractionCompleted: Double { Double(completedSteps) / Double(stepCount) }

  /// What was found, by layer: of the windows that are done, and nothing before the first is.
  public var result: [String: LayerFisher] {
    let tokens = windows[..<window].reduce(0) { $0 + $1.count }
    guard tokens > 0 else { return [:] }
    return sums.mapValues { $0.fisher(tokens: tokens) }
  }

  /// Takes some positions of a window through half a block or the head.
  ///
  /// - Returns: Whether there is more to do.
  public mutating func step() -> Bool {
    let length = windows.indices.contains(window) ? windows[window].count : 0
    switch phase {
    case .forward(let half, let row):
      let end = min(row + parts.block, length)
      advance(half, row..<end)
      if end < length {
        phase = .forward(half: half, row: end)
      } else {
        phase = half + 1 < halves ? .forward(half: half + 1, row: 0) : .head(row: 0)
      }
    case .head(let row):
      let end = min(row + parts.head, length)
      differentiateHead(row..<end)
      if end < length { phase = .head(row: end) } else { goBack(before: halves) }
    case .backward(let half, let row):
      // Attention goes back as a whole, for keys and values hear from all later positions.
      let end = half.isMultiple(of: 2) ? length : min(row + parts.block, length)
      differentiate(half, row..<end)
      if end < length { phase = .backward(half: half, row: end) } else { goBack(before: half) }
    case .ended: return false
    }
    completedSteps += 1
    if case .ended = phase { return false }
    return true
  }
}

/// How many positions a step takes, so that it lasts some tens of milliseconds on two cores.
private struct PartLengths {
  /// Through half a block.
  let block: Int
  /// Through the head.
  let head: Int

  init(of model: ModelDescription) {
    let weights = model.layers.reduce(0) { $1.block == 0 ? $0 + $1.parameters : $0 }
    block = max(16, 1_000_000_000 / max(weights, 1) / 16 * 16)
    head = max(8, 700_000_000 / (model.vocabularySize * model.hiddenSize) / 8 * 8)
  }
}

extension FisherPass {
  private var halves: Int { 2 * decoder.runningBlocks.count }
  private var rotations: [Rotation] { decoder.rotations(at: windows[window].indices) }

  private func steps(ofWindow length: Int) -> Int {
    let blockParts = (length + parts.block - 1) / parts.block
    let headParts = (length + parts.head - 1) / parts.head
    // Both halves forwards, and the MLP backwards, in parts; attention backwards as a whole.
    return halves / 2 * (3 * blockParts + 1) + headParts
  }

  /// Begins the next window, if there is one.
  private mutating func begin() {
    hidden = []
    guard window < windows.count else { return phase = .ended }
    hidden = [decoder.embedded(windows[window])]
    gradient = Matrix(rows: windows[window].count, columns: decoder.description.hiddenSize)
    phase = halves > 0 ? .forward(half: 0, row: 0) : .head(row: 0)
  }

  /// Turns to what comes before a half of a block.
  private mutating func goBack(before half: Int) {
    guard half > 0 else { return endWindow() }
    // The hidden states after the half that comes next are not needed any more.
    hidden.removeLast()
    phase = .backward(half: half - 1, row: 0)
  }

  /// Computes the hidden states of some positions after half a block.
  private mutating func advance(_ half: Int, _ rows: Range<Int>) {
    if rows.lowerBound == 0 {
      hidden.append(hidden[half])
      cache = decoder.makeBlockCache()
    }
    let block = decoder.runningBlocks[half / 2]
    var part = hidden[half].rows(rows)
    if half.isMultiple(of: 2) {
      decoder.attend(
        block: block, on: &part, rotations: Array(rotations[rows]), cache: &cache)
    } else {
      decoder.feedForward(block: block, on: &part)
    }
    hidden[half + 1].replaceRows(from: rows.lowerBound, by: part)
  }

  /// Goes from the sampled loss of some tokens to the gradient at their last hidden states.
  private mutating func differentiateHead(_ rows: Range<Int>) {
    let states = hidden[halves].rows(rows)
    let inputs = decoder.headInputs(states)
    let head = decoder.head ?? decoder.embedding
    let (sampler, start) = (sampler, firstPosition + rows.lowerBound)
    let atLogits = decoder.pool.lossGradients(
      at: decoder.logits(of: inputs)
    ) { row, logits in
      sampler.token(from: logits, at: start + row)
    }
    let name = decoder.head == nil ? Decoder.embeddingName : Decoder.headName
    let energies = sums[name]?.add(inputs: inputs, gradients: atLogits, on: decoder.pool)
    weigh(energies ?? [], from: rows.lowerBound, at: .head)
    var result = Matrix(rows: rows.count, columns: gradient.columns)
    result.addRMSNormGradient(
      at: states, weight: decoder.finalNorm, epsilon: decoder.epsilon,
      output: decoder.pool.transposedProducts(of: atLogits, with: [head]))
    gradient.replaceRows(from: rows.lowerBound, by: result)
  }

  /// Goes back through half a block at some positions.
  private mutating func differentiate(_ half: Int, _ rows: Range<Int>) {
    let block = decoder.runningBlocks[half / 2]
    let states = hidden[half].rows(rows)
    var part = gradient.rows(rows)
    if half.isMultiple(of: 2) {
      differentiateAttention(of: block, at: states, &part)
    } else {
      differentiateMLP(of: block, at: states, from: rows.lowerBound, &part)
    }
    gradient.replaceRows(from: rows.lowerBound, by: part)
  }

  /// Turns the gradient after a block's MLP into that before it.
  private mutating func differentiateMLP(
    of index: Int, at states: Matrix, from row: Int, _ gradient: inout Matrix
  ) {
    let (block, pool) = (decoder.blocks[index], decoder.pool)
    let activations = decoder.mlpActivations(block: index, of: states)
    add(
      [.down], at: .mlpOutput(block: index), from: row, inputs: activations.inner,
      gradients: gradient)
    let atInner = pool.transposedProducts(of: gradient, with: block.mlpOutput)
    let atProjected = activations.projected.gatedGradient(.silu, output: atInner)
    add(
      [.gate, .up], at: .mlp(block: index), from: row, inputs: activations.normalized,
      gradients: atProjected)
    gradient.addRMSNormGradient(
      at: states, weight: block.mlpNorm, epsilon: decoder.epsilon,
      output: pool.transposedProducts(of: atProjected, with: block.mlpInputs))
  }

  /// Turns the gradient after a block's attention, at all positions, into that before it.
  private mutating func differentiateAttention(
    of index: Int, at states: Matrix, _ gradient: inout Matrix
  ) {
    let (block, pool) = (decoder.blocks[index], decoder.pool)
    let rotations = rotations
    var cache = decoder.makeBlockCache()
    let activations = decoder.attentionActivations(
      block: index, of: states, rotations: rotations, cache: &cache)
    add(
      [.attentionOutput], at: .attentionOutput(block: index), from: 0, inputs: activations.attended,
      gradients: gradient)
    let atAttended = pool.transposedProducts(of: gradient, with: block.attentionOutput)
    var atProjected = decoder.attention.gradient(
      queries: activations.projected, keys: cache.keys, values: cache.values, output: atAttended,
      on: pool)
    let heads = decoder.description.headCount + decoder.description.keyValueHeadCount
    for (row, rotation) in rotations.enumerated() {
      atProjected.rotate(row: row, column: 0, heads: heads, by: rotation.inverse)
    }
    add(
      [.query, .key, .value], at: .attention(block: index), from: 0, inputs: activations.normalized,
      gradients: atProjected)
    gradient.addRMSNormGradient(
      at: states, weight: block.attentionNorm, epsilon: decoder.epsilon,
      output: pool.transposedProducts(of: atProjected, with: block.attentionInputs))
  }

  /// Adds to the sums of layers that read the same input, their gradients side by side, of positions from `row` on.
  private mutating func add(
    _ roles: [Role], at site: InputSite, from row: Int, inputs: Matrix, gradients: Matrix
  ) {
    var column = 0
    for role in roles {
      guard
        let layer = decoder.description.layers.first(where: {
          $0.block == site.block && $0.role == role
        })
      else { continue }
      let energies = sums[layer.name]?.add(
        inputs: inputs, gradients: gradients, column: column, on: decoder.pool)
      weigh(energies ?? [], from: row, at: site)
      column += layer.rows
    }
  }

  /// Adds what gradients weigh to the weights of the current window's tokens.
  private mutating func weigh(_ energies: [Double], from row: Int, at site: InputSite) {
    tokenWeights.add(
      energies, from: row, ofWindow: window, length: windows[window].count, at: site)
  }

  /// Adds what the lookup of the window's tokens costs, and begins the next window.
  private mutating func endWindow() {
    sums[Decoder.embeddingName]?.add(
      lookups: windows[window], gradients: gradient, on: decoder.pool)
    window += 1
    begin()
  }

  /// Tokens in the windows before this one: positions that labels are sampled at are counted on.
  private var firstPosition: Int { windows[..<window].reduce(0) { $0 + $1.count } }
}
