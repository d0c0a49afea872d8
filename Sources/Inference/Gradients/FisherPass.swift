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
  private var window = 0
  private var phase: Phase
  /// Hidden states before each half of a block (even: attention, odd: MLP), and those after the last.
  private var hidden: [Matrix] = []
  /// The gradient at the hidden states that the pass has come back to.
  private var gradient = Matrix(rows: 0, columns: 0)
  private var completedSteps = 0
  private let stepCount: Int

  private enum Phase {
    /// Reads on through half a block.
    case forward(half: Int)
    /// Samples labels after some tokens, and goes back through the head.
    case head(firstRow: Int)
    /// Goes back through half a block.
    case backward(half: Int)
    case ended
  }

  /// Logits of a step, about: so many that it takes some tens of milliseconds.
  private static let logitsAStep = 1_200_000

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
    let cache = decoder.makeCache()
    for window in windows { try decoder.check(window, cache) }
    self.windows = windows
    self.decoder = decoder
    sampler = Sampler(temperature: 1, seed: seed)
    for layer in decoder.description.layers {
      sums[layer.name] = FisherSums(rows: layer.rows, columns: layer.columns)
    }
    let chunk = Self.chunk(of: decoder)
    stepCount = windows.reduce(0) { steps, window in
      steps + 4 * decoder.runningBlocks.count + (window.count + chunk - 1) / chunk
    }
    phase = .ended
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

  /// Goes through half a block of one window, or through the head for some of its tokens.
  ///
  /// - Returns: Whether there is more to do.
  public mutating func step() -> Bool {
    switch phase {
    case .forward(let half):
      advance(half)
      phase = half + 1 < halves ? .forward(half: half + 1) : .head(firstRow: 0)
    case .head(let first):
      let rows = first..<min(first + Self.chunk(of: decoder), windows[window].count)
      differentiateHead(rows)
      if rows.upperBound < windows[window].count {
        phase = .head(firstRow: rows.upperBound)
      } else if halves > 0 {
        phase = .backward(half: halves - 1)
      } else {
        endWindow()
      }
    case .backward(let half):
      // What lies after this half is not needed any more.
      hidden.removeLast()
      differentiate(half)
      if half > 0 { phase = .backward(half: half - 1) } else { endWindow() }
    case .ended: return false
    }
    completedSteps += 1
    if case .ended = phase { return false }
    return true
  }
}

extension FisherPass {
  private static func chunk(of decoder: Decoder) -> Int {
    max(8, logitsAStep / decoder.description.vocabularySize)
  }

  private var halves: Int { 2 * decoder.runningBlocks.count }
  private var rotations: [Rotation] { decoder.rotations(at: windows[window].indices) }

  /// Begins the next window, if there is one.
  private mutating func begin() {
    hidden = []
    guard window < windows.count else { return phase = .ended }
    hidden = [decoder.embedded(windows[window])]
    gradient = Matrix(rows: windows[window].count, columns: decoder.description.hiddenSize)
    phase = halves > 0 ? .forward(half: 0) : .head(firstRow: 0)
  }

  /// Computes the hidden states after half a block.
  private mutating func advance(_ half: Int) {
    var states = hidden[half]
    let block = decoder.runningBlocks[half / 2]
    if half.isMultiple(of: 2) {
      var cache = decoder.makeBlockCache()
      decoder.attend(block: block, on: &states, rotations: rotations, cache: &cache)
    } else {
      decoder.feedForward(block: block, on: &states)
    }
    hidden.append(states)
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
    sums[name]?.add(inputs: inputs, gradients: atLogits, on: decoder.pool)
    var result = Matrix(rows: rows.count, columns: gradient.columns)
    result.addRMSNormGradient(
      at: states, weight: decoder.finalNorm, epsilon: decoder.epsilon,
      output: decoder.pool.transposedProducts(of: atLogits, with: [head]))
    gradient.replaceRows(from: rows.lowerBound, by: result)
  }

  /// Goes back through half a block.
  private mutating func differentiate(_ half: Int) {
    let block = decoder.runningBlocks[half / 2]
    if half.isMultiple(of: 2) {
      differentiateAttention(of: block, at: hidden[half])
    } else {
      differentiateMLP(of: block, at: hidden[half])
    }
  }

  private mutating func differentiateMLP(of index: Int, at states: Matrix) {
    let (block, pool) = (decoder.blocks[index], decoder.pool)
    let activations = decoder.mlpActivations(block: index, of: states)
    add([.down], of: index, inputs: activations.inner, gradients: gradient)
    let atInner = pool.transposedProducts(of: gradient, with: block.mlpOutput)
    let atProjected = activations.projected.gatedSiluGradient(output: atInner)
    add([.gate, .up], of: index, inputs: activations.normalized, gradients: atProjected)
    gradient.addRMSNormGradient(
      at: states, weight: block.mlpNorm, epsilon: decoder.epsilon,
      output: pool.transposedProducts(of: atProjected, with: block.mlpInputs))
  }

  private mutating func differentiateAttention(of index: Int, at states: Matrix) {
    let (block, pool) = (decoder.blocks[index], decoder.pool)
    let rotations = rotations
    var cache = decoder.makeBlockCache()
    let activations = decoder.attentionActivations(
      block: index, of: states, rotations: rotations, cache: &cache)
    add([.attentionOutput], of: index, inputs: activations.attended, gradients: gradient)
    let atAttended = pool.transposedProducts(of: gradient, with: block.attentionOutput)
    var atProjected = decoder.attention.gradient(
      queries: activations.projected, keys: cache.keys, values: cache.values,
      output: atAttended, on: pool)
    let heads = decoder.description.headCount + decoder.description.keyValueHeadCount
    for (row, rotation) in rotations.enumerated() {
      atProjected.rotate(row: row, column: 0, heads: heads, by: rotation.inverse)
    }
    add([.query, .key, .value], of: index, inputs: activations.normalized, gradients: atProjected)
    gradient.addRMSNormGradient(
      at: states, weight: block.attentionNorm, epsilon: decoder.epsilon,
      output: pool.transposedProducts(of: atProjected, with: block.attentionInputs))
  }

  /// Adds to the sums of layers that read the same input, their gradients side by side.
  private mutating func add(
    _ roles: [Role], of block: Int, inputs: Matrix, gradients: Matrix
  ) {
    var column = 0
    for role in roles {
      guard
        let layer = decoder.description.layers.first(where: {
          $0.block == block && $0.role == role
        })
      else { continue }
      sums[layer.name]?.add(
        inputs: inputs, gradients: gradients, column: column, on: decoder.pool)
      column += layer.rows
    }
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
