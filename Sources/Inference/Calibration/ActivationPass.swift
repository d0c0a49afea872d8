import Checkpoints
import Compression
import Tensors

/// A calibration text's way through the model, block by block, in steps.
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
  /// Share of the current sweep that is done: 0...1.
  public var fractionCompleted: Double {
    guard let sweep else { return 1 }
    let read = sweep.window * windows.length + sweep.position
    return Double(read) / Double(windows.count * windows.length)
  }

  /// Windows x (tokens x hidden size).
  private(set) var hidden: [Matrix]
  private let positions: Positions
  let blockCount: Int
  private let splitsWindows: Bool
  /// Experts of each block; nil for blocks without.
  private let expertCounts: [Int?]
  private let oddWeights: TokenWeights
  private var sweep: Sweep?
  /// By site, those of all windows, or of even and of odd ones.
  private var sums: [InputSite: [SiteSums]] = [:]

  /// A sweep over all windows: what it does, and how far it has come.
  private struct Sweep {
    let need: CalibrationNeed
    let advances: Bool
    var window = 0
    var position = 0
    var cache: BlockCache
  }

  private let workAStep: Int

  /// The hidden states of all windows before the first block.
  ///
  /// - Parameters:
  ///   - windows: The text.
  ///   - decoder: The model; sweeps may use others of the same shape.
  ///   - splitsWindows: Whether statistics of even and odd windows are wanted apart, at twice the memory.
  ///   - oddWeights: How much tokens count in the Gram matrices of odd windows; empty for all alike.
  ///   - workAStep: Multiplications of a step: nil is some tens of milliseconds.
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
  }

  /// Whether the hidden states are those that the final norm reads.
  public var isAtHead: Bool { block == blockCount }

  /// Begins a sweep over all windows; one that is under way is dropped.
  ///
  /// - Parameters:
  ///   - need: What to observe; what was observed before is forgotten, unless this is nothing.
  ///   - advances: Whether to go on to the next block. At the head there is none.
  public mutating func begin(observing need: CalibrationNeed, advancing advances: Bool) {
    if need != .nothing { sums = [:] }
    sweep = Sweep(need: need, advances: advances && !isAtHead, cache: BlockCache(width: 0))
  }

  /// Runs a part of a window through the current block.
  ///
  /// - Parameter decoder: The model, with whatever weights the block has now.
  /// - Returns: Whether the sweep goes on.
  public mutating func step(with decoder: Decoder) -> Bool {
    guard var sweep else { return false }
    guard isAtHead || decoder.runningBlocks.contains(block) else {
      // A block that is left out reads nothing, and passes on what it was given.
      if sweep.advances { block += 1 }
      self.sweep = nil
      return false
    }
    let end = min(sweep.position + partLength(decoder), windows.length)
    run(sweep.position..<end, of: &sweep, with: decoder)
    sweep.position = end
    if end == windows.length {
      sweep.window += 1
      sweep.position = 0
    }
    let isDone = sweep.window == windows.count
    if isDone, sweep.advances { block += 1 }
    self.sweep = isDone ? nil : sweep
    return !isDone
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

  private mutating func run(_ positions: Range<Int>, of sweep: inout Sweep, with decoder: Decoder) {
    var part = hidden[sweep.window].rows(positions)
    var sums = self.sums
    self.sums = [:]
    let (window, half) = (sweep.window, splitsWindows ? sweep.window % 2 : 0)
    func observe(_ inputs: SiteInputs) {
      guard sweep.need != .nothing else { return }
      let empty = SiteSums(columns: inputs.vectors.columns, need: sweep.need)
      let weights =
        half == 1
        ? oddWeights.weights(of: positions, rows: inputs.rows, inWindow: window, at: inputs.site)
        : nil
      sums[inputs.site, default: Array(repeating: empty, count: splitsWindows ? 2 : 1)][half]
        .add(inputs, weights: weights, on: decoder.pool)
    }
    if isAtHead {
      observe(
        SiteInputs(site: .head, vectors: decoder.headInputs(part)))
    } else {
      if positions.lowerBound == 0 { sweep.cache = decoder.makeBlockCache(block) }
      var cache = sweep.cache
      if sweep.advances {
        decoder.run(
          block: block, on: &part, self.positions.part(positions), cache: &cache, observer: observe)
      } else {
        decoder.observe(
          block: block, reading: part, self.positions.part(positions), cache: &cache,
          observer: observe)
      }
      sweep.cache = cache
      if sweep.advances { hidden[sweep.window].replaceRows(from: positions.lowerBound, by: part) }
    }
    self.sums = sums
  }

  /// Positions of a step, by the multiplications that one takes.
  private func partLength(_ decoder: Decoder) -> Int {
    let model = decoder.description
    let weights = model.layers.reduce(0) { $1.block == 0 ? $0 + $1.rows * $1.columns : $0 }
    let squares = model.layers.reduce(0) { $1.block == 0 ? $0 + $1.columns * $1.columns / 4 : $0 }
    let most = max(workAStep / max(weights + squares, 1), 16)
    // Parts of equal length, so that none is too short to be worth decoding the weights for.
    let parts = (windows.length + most - 1) / most
    return ((windows.length + parts - 1) / parts + 15) / 16 * 16
  }
}
