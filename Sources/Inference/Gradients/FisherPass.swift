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
/// one. That is the sum of both Fisher matrices' marginals; what couples lookup and head is left out. Which experts a
/// router chooses is held fixed; how it weighs them is differentiated.
public struct FisherPass: Sendable {
  let windows: [[Int]]
  let decoder: Decoder
  private let sampler: Sampler
  var sums: [String: FisherSums] = [:]
  /// How much each token counts at each site, of the windows that are done.
  public internal(set) var tokenWeights = TokenWeights()
  var window = 0
  private var phase: Phase
  /// Hidden states before each half of a block (even: attention, odd: feed-forward), and those after the last.
  private var hidden: [Matrix] = []
  /// The gradient at the hidden states that the pass has come back to.
  private var gradient = Matrix(rows: 0, columns: 0)
  private var completedSteps = 0
  private var stepCount = 0
  private let parts: PartLengths
  /// Keys and values of the block that the pass reads on through.
  private var cache: BlockCache
  /// Names of layers by what they are.
  let names: LayerNames

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
    if let obstacle = decoder.description.abilities.gradientObstacle {
      throw .doesNotRun(reason: obstacle)
    }
    let empty = decoder.makeCache()
    for window in windows { try decoder.check(window, empty) }
    self.windows = windows
    self.decoder = decoder
    sampler = Sampler(temperature: 1, seed: seed)
    for layer in decoder.description.layers {
      sums[layer.name] = FisherSums(rows: layer.rows, columns: layer.columns)
    }
    names = LayerNames(decoder.description)
    parts = PartLengths(of: decoder.description)
    cache = BlockCache(width: 0)
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

  /// The positions of the current window.
  var positions: Positions {
    decoder.positions(windows[window].indices, ofLength: windows[window].count)
  }

  private func steps(ofWindow length: Int) -> Int {
    let blockParts = (length + parts.block - 1) / parts.block
    let headParts = (length + parts.head - 1) / parts.head
    // Both halves forwards, and the feed-forward half backwards, in parts; attention backwards as a whole.
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
    let block = decoder.runningBlocks[half / 2]
    if rows.lowerBound == 0 {
      hidden.append(hidden[half])
      cache = decoder.makeBlockCache(block)
    }
    var part = hidden[half].rows(rows)
    if half.isMultiple(of: 2) {
      decoder.attend(block: block, on: &part, positions.part(rows), cache: &cache)
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
    let logits = decoder.logits(of: inputs)
    var atLogits = decoder.pool.lossGradients(at: logits) { row, logits in
      sampler.token(from: logits, at: start + row)
    }
    let blueprint = decoder.blueprint
    if let cap = blueprint.logitSoftcap {
      atLogits = logits.softcapGradient(output: atLogits, cap: cap)
    }
    if blueprint.logitScale != 1 { atLogits.scale(by: blueprint.logitScale) }
    let energies = sums[names.head]?.add(inputs: inputs, gradients: atLogits, on: decoder.pool)
    weigh(energies ?? [], at: Array(rows), site: .head)
    var result = Matrix(rows: rows.count, columns: gradient.columns)
    decoder.addGradient(
      of: decoder.finalNorm, at: states,
      output: decoder.pool.transposedProducts(of: atLogits, with: [head]), to: &result)
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
      differentiateFeedForward(of: block, at: states, from: rows.lowerBound, &part)
    }
    gradient.replaceRows(from: rows.lowerBound, by: part)
  }

  /// Adds what gradients weigh to the weights of the current window's tokens.
  mutating func weigh(_ energies: [Double], at positions: [Int], site: InputSite) {
    tokenWeights.add(
      energies, at: positions, ofWindow: window, length: windows[window].count, at: site)
  }

  /// Adds what the lookup of the window's tokens costs, and begins the next window.
  private mutating func endWindow() {
    var atLookup = gradient
    if decoder.blueprint.embeddingScale != 1 {
      atLookup.scale(by: decoder.blueprint.embeddingScale)
    }
    sums[names.embedding]?.add(lookups: windows[window], gradients: atLookup, on: decoder.pool)
    window += 1
    begin()
  }

  /// Tokens in the windows before this one: positions that labels are sampled at are counted on.
  private var firstPosition: Int { windows[..<window].reduce(0) { $0 + $1.count } }
}

/// Finds the layers of a model by what they are.
struct LayerNames: Sendable {
  private struct Place: Hashable {
    let part: Part
    let block: Int
  }

  private let layers: [Place: LayerDescription]
  let embedding: String
  /// The embedding, where the model ties them.
  let head: String

  init(_ model: ModelDescription) {
    let byName = Dictionary(
      model.layers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var layers: [Place: LayerDescription] = [:]
    for tensor in model.tensors {
      guard let block = tensor.block, let layer = byName[tensor.name] else { continue }
      layers[Place(part: tensor.part, block: block)] = layer
    }
    self.layers = layers
    let embedding = model.layers.first { $0.role == .embedTokens }?.name ?? ""
    self.embedding = embedding
    head = model.layers.first { $0.role == .head }?.name ?? embedding
  }

  func layer(_ part: Part, ofBlock block: Int) -> LayerDescription? {
    layers[Place(part: part, block: block)]
  }
}
