import Checkpoints
import Compression
import Tensors
import Work

/// One backward pass through a model that collects the ``LayerFisher`` of every layer.
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
  /// Of the current window.
  var current = WindowGradients()
  private let parts: PartLengths
  /// Names of layers by what they are.
  let names: LayerNames

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
    parts = PartLengths(of: decoder)
  }

  /// Tokens of all windows.
  public var tokenCount: Int { windows.reduce(0) { $0 + $1.count } }

  /// What was found, by layer: of the windows that are done, and nothing before the first is.
  public var result: [String: LayerFisher] {
    let tokens = windows[..<window].reduce(0) { $0 + $1.count }
    guard tokens > 0 else { return [:] }
    return sums.mapValues { $0.fisher(tokens: tokens) }
  }

  /// Reads the windows that are left, and goes back through each.
  ///
  /// - Parameter pace: Of these windows.
  /// - Throws: ``InferenceError/cancelled``; what was found in the windows that are done is there.
  public mutating func run(pace: Pace = .unwatched) throws(InferenceError) {
    for (index, pace) in pace.parts(window..<windows.count) {
      let tokens = windows[index]
      current = WindowGradients(tokens: tokens.count, of: decoder)
      var steps = StepCount(of: steps(ofWindow: tokens.count), pace)
      let hidden = try forward(tokens, &steps)
      var gradient = Matrix(rows: tokens.count, columns: decoder.description.hiddenSize)
      for rows in rows(of: tokens.count, by: parts.head) {
        differentiateHead(rows, hidden[halves], &gradient)
        try steps.tick()
      }
      for half in (0..<halves).reversed() {
        // Attention goes back as a whole, since keys and values receive gradients from all later positions.
        let length = half.isMultiple(of: 2) ? tokens.count : parts.block
        for rows in rows(of: tokens.count, by: length) {
          differentiate(half, rows, hidden[half], &gradient)
          try steps.tick()
        }
      }
      endWindow(gradient)
    }
  }

  /// Hidden states before each half of a block (even: attention, odd: feed-forward), and those after the last.
  private mutating func forward(
    _ tokens: [Int], _ steps: inout StepCount
  ) throws(InferenceError) -> [Matrix] {
    var hidden = [decoder.embedded(tokens)]
    for half in 0..<halves {
      let block = decoder.runningBlocks[half / 2]
      let other = current.caches[decoder.cacheBlock(of: block)]
      var cache = decoder.makeBlockCache(block)
      hidden.append(hidden[half])
      for rows in rows(of: tokens.count, by: parts.block) {
        var part = hidden[half].rows(rows)
        if half.isMultiple(of: 2) {
          if let other { cache = other.prefix(rows.upperBound) }
          decoder.attend(block: block, on: &part, positions.part(rows), cache: &cache)
        } else {
          decoder.feedForward(block: block, on: &part, positions.part(rows))
        }
        hidden[half + 1].replaceRows(from: rows.lowerBound, by: part)
        try steps.tick()
      }
      if half.isMultiple(of: 2), decoder.isCacheShared(ofBlock: block) {
        current.caches[block] = cache
      }
    }
    return hidden
  }

  private func rows(of length: Int, by part: Int) -> some Sequence<Range<Int>> {
    stride(from: 0, to: length, by: part).lazy.map { $0..<min($0 + part, length) }
  }
}

/// Steps of about equal length on the way through a window.
private struct StepCount {
  private let total: Int
  private let pace: Pace
  private var done = 0

  init(of total: Int, _ pace: Pace) { (self.total, self.pace) = (total, pace) }

  mutating func tick() throws(InferenceError) {
    done += 1
    try pace.advance(to: Double(done) / Double(total))
  }
}

/// How many positions there are between two ticks, so that these last some tens of milliseconds on two cores.
private struct PartLengths {
  /// Through half a block.
  let block: Int
  /// Through the head.
  let head: Int

  /// The way back multiplies twice as often as the way there.
  init(of decoder: Decoder) {
    block = StepLength.positions(forWeights: 2 * decoder.weights(ofBlock: 0))
    head = decoder.positionsAtHead / 2
  }
}

extension FisherPass {
  private var halves: Int { 2 * decoder.runningBlocks.count }

  /// The positions of the current window.
  var positions: Positions {
    decoder.positions(
      windows[window].indices, ofLength: windows[window].count, reading: windows[window])
  }

  private func steps(ofWindow length: Int) -> Int {
    let blockParts = (length + parts.block - 1) / parts.block
    let headParts = (length + parts.head - 1) / parts.head
    // Both halves forwards, and the feed-forward half backwards, in parts; attention backwards as a whole.
    return halves / 2 * (3 * blockParts + 1) + headParts
  }

  /// Goes from the sampled loss of some tokens to the gradient at their last hidden states.
  private mutating func differentiateHead(
    _ rows: Range<Int>, _ hidden: Matrix, _ gradient: inout Matrix
  ) {
    let states = hidden.rows(rows)
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
  private mutating func differentiate(
    _ half: Int, _ rows: Range<Int>, _ hidden: Matrix, _ gradient: inout Matrix
  ) {
    let block = decoder.runningBlocks[half / 2]
    let states = hidden.rows(rows)
    var part = gradient.rows(rows)
    if half.isMultiple(of: 2) {
      differentiateMixer(of: block, at: states, &part)
    } else {
      differentiateFeedForward(of: block, at: states, from: rows.lowerBound, &part)
    }
    gradient.replaceRows(from: rows.lowerBound, by: part)
  }

  /// Adds each token's squared gradient norm to its weight.
  mutating func weigh(_ energies: [Double], at positions: [Int], site: InputSite) {
    tokenWeights.add(
      energies, at: positions, ofWindow: window, length: windows[window].count, at: site)
  }

  /// Adds what the lookup of the window's tokens costs.
  private mutating func endWindow(_ gradient: Matrix) {
    var atLookup = gradient
    if let more = current.atEmbeddings { atLookup.add(more) }
    if decoder.blueprint.embeddingScale != 1 {
      atLookup.scale(by: decoder.blueprint.embeddingScale)
    }
    sums[names.embedding]?.add(lookups: windows[window], gradients: atLookup, on: decoder.pool)
    if let atOwn = current.atOwnEmbeddings, let name = names.perLayerEmbedding {
      sums[name]?.add(lookups: windows[window], gradients: atOwn, on: decoder.pool)
    }
    window += 1
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
  /// nil where blocks have no embeddings of their own.
  let perLayerEmbedding: String?

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
    perLayerEmbedding = model.layers.first { $0.role == .perLayerEmbedding }?.name
  }

  func layer(_ part: Part, ofBlock block: Int) -> LayerDescription? {
    layers[Place(part: part, block: block)]
  }
}
