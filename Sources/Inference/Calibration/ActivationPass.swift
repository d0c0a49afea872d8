import Checkpoints
import Compression
import Tensors
import Work

/// A calibration text's way through the model, block by block.
///
/// Held are the hidden states of all windows before the current block: tokens x hidden size values, and nothing else
/// that grows with the model. A sweep runs them through the current block, observes what its layers read, and replaces
/// them by what the next block reads. Observing and advancing apart, with the block compressed between, lets every block
/// see what the compressed ones before it produce. A copy of a pass shares the hidden states until one of them advances.
public struct ActivationPass: Sendable {
  /// Some of the windows, so that what was fitted on one half can be scored on the other.
  public enum Windows: Hashable, Sendable {
    case all, even, odd
  }

  /// The text.
  public let windows: TokenWindows
  /// The current block; the number of blocks once the hidden states are those that the head reads.
  public private(set) var block = 0
  /// Windows x (tokens x hidden size).
  private(set) var hidden: [Matrix]
  /// Of each window, the keys and values of blocks that others read, too.
  private var shared: [[Int: BlockCache]]
  private let positions: Positions
  let blockCount: Int
  private let splitsWindows: Bool
  /// Experts of each block; nil for blocks without.
  private let expertCounts: [Int?]
  private let oddWeights: TokenWeights
  /// By site, those of all windows, or of even and of odd ones.
  private var sums: [InputSite: [SiteSums]] = [:]

  private let workAStep: Int

  /// The hidden states of all windows before the first block.
  ///
  /// - Parameters:
  ///   - windows: The text.
  ///   - decoder: The model; sweeps may use others of the same shape.
  ///   - splitsWindows: Whether statistics of even and odd windows are wanted apart, at twice the memory.
  ///   - oddWeights: How much tokens count in the Gram matrices of odd windows; empty for all alike.
  ///   - workAStep: Multiplications between two ticks: nil is some tens of milliseconds.
  /// - Throws: ``InferenceError`` for ids outside the vocabulary.
  public init(
    _ windows: TokenWindows, decoder: Decoder, splitsWindows: Bool = false,
    oddWeights: TokenWeights = TokenWeights(), workAStep: Int? = nil
  ) throws(InferenceError) {
    self.windows = windows
    self.splitsWindows = splitsWindows
    self.oddWeights = oddWeights
    self.workAStep = workAStep ?? StepLength.work
    blockCount = decoder.blocks.count
    expertCounts = decoder.blocks.map { $0.experts?.facts.count }
    positions = decoder.positions(0..<windows.length, ofLength: windows.length)
    var hidden: [Matrix] = []
    for window in 0..<windows.count {
      let tokens = windows.inputs(0..<windows.length, ofWindow: window)
      try decoder.check(tokens)
      hidden.append(decoder.embedded(tokens))
    }
    self.hidden = hidden
    shared = Array(repeating: [:], count: windows.count)
  }

  /// Whether the hidden states are those that the final norm reads.
  public var isAtHead: Bool { block == blockCount }

  /// Where the text has come to, for errors.
  public var place: String { isAtHead ? "before the head" : "in block \(block)" }

  /// Runs all windows through the current block, or what comes before the head.
  ///
  /// A pass whose sweep was cancelled is of no more use.
  ///
  /// - Parameters:
  ///   - need: What to observe; what was observed before is forgotten, unless this is nothing.
  ///   - advances: Whether to go on to the next block. At the head there is none.
  ///   - decoder: The model, with whatever weights the block has now.
  ///   - pace: Of the sweep.
  /// - Throws: ``InferenceError/cancelled``.
  public mutating func sweep(
    observing need: CalibrationNeed, advancing advances: Bool, with decoder: Decoder,
    pace: Pace = .unwatched
  ) throws(InferenceError) {
    if need != .nothing { sums = [:] }
    let advances = advances && !isAtHead
    if isAtHead || decoder.runningBlocks.contains(block) {
      let part = partLength(decoder)
      for (window, pace) in pace.parts(0..<windows.count) {
        var cache = isAtHead ? nil : self.cache(ofWindow: window, decoder)
        for start in stride(from: 0, to: windows.length, by: part) {
          let end = min(start + part, windows.length)
          observe(start..<end, of: window, need, advances, with: decoder, &cache)
          try pace.advance(to: Double(end) / Double(windows.length))
        }
        if advances, decoder.isCacheShared(ofBlock: block) { shared[window][block] = cache }
      }
    } else {
      // A block that is left out reads nothing, and passes on what it was given.
      try pace.advance(to: 1)
    }
    if advances { block += 1 }
  }

  /// What the layers at a site read in the last sweep that observed; nil for sites that it did not reach.
  ///
  /// Where tokens of odd windows have weights, there is no Gram matrix of all windows.
  ///
  /// - Precondition: the pass splits windows if it is asked for some of them.
  public func statistics(at site: InputSite, of windows: Windows = .all) -> InputStatistics? {
    precondition(splitsWindows || windows == .all, "the pass does not split windows")
    guard let parts = sums[site] else { return nil }
    let experts = site.block.flatMap { expertCounts[$0] }
    switch windows {
    case .even: return parts[0].statistics(ofExperts: experts)
    case .odd: return parts[1].statistics(ofExperts: experts)
    case .all:
      var total = parts[0]
      for part in parts.dropFirst() { total.add(part) }
      let found = total.statistics(ofExperts: experts)
      return oddWeights.isEmpty ? found : found?.withoutGram
    }
  }

  /// The keys and values that the current block reads: none yet, or all of another block's.
  private func cache(ofWindow window: Int, _ decoder: Decoder) -> BlockCache {
    shared[window][decoder.cacheBlock(of: block)] ?? decoder.makeBlockCache(block)
  }

  /// Runs some positions of a window through the current block; without a cache they have come to the head.
  private mutating func observe(
    _ positions: Range<Int>, of window: Int, _ need: CalibrationNeed, _ advances: Bool,
    with decoder: Decoder, _ cache: inout BlockCache?
  ) {
    var part = hidden[window].rows(positions)
    var sums = self.sums
    self.sums = [:]
    let half = splitsWindows ? window % 2 : 0
    func observe(_ inputs: SiteInputs) {
      guard need != .nothing else { return }
      let empty = SiteSums(columns: inputs.vectors.columns, need: need)
      let weights =
        half == 1
        ? oddWeights.weights(of: positions, rows: inputs.rows, inWindow: window, at: inputs.site)
        : nil
      sums[inputs.site, default: Array(repeating: empty, count: splitsWindows ? 2 : 1)][half]
        .add(inputs, weights: weights, on: decoder.pool)
    }
    if var own = cache.take() {
      let isForeign = decoder.cacheBlock(of: block) != block
      let whole = isForeign ? own : nil
      if isForeign { own.truncate(to: positions.upperBound) }
      let places = self.positions.part(positions)
        .reading(windows.inputs(positions, ofWindow: window))
      if advances {
        decoder.run(block: block, on: &part, places, cache: &own, observer: observe)
        hidden[window].replaceRows(from: positions.lowerBound, by: part)
      } else {
        decoder.observe(block: block, reading: part, places, cache: &own, observer: observe)
      }
      cache = whole ?? own
    } else {
      observe(SiteInputs(site: .head, vectors: decoder.headInputs(part)))
    }
    self.sums = sums
  }

  /// Positions between two ticks, by the multiplications that one takes.
  private func partLength(_ decoder: Decoder) -> Int {
    let weights = decoder.weights(ofBlock: 0)
    let squares = decoder.description.layers.reduce(0) {
      $1.block == 0 ? $0 + $1.columns * $1.columns / 4 : $0
    }
    let most = max(workAStep / max(weights + squares, 1), 16)
    // Parts of equal length, so that none is too short to be worth decoding the weights for.
    let parts = (windows.length + most - 1) / most
    return ((windows.length + parts - 1) / parts + 15) / 16 * 16
  }
}
