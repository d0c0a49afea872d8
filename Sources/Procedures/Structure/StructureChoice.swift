import Checkpoints
import Compression
import Inference
import Work

/// Chooses what structured pruning takes from a model: blocks whose absence costs least KLD, then neurons and heads of the
/// blocks that are left, by gradients, and experts, by what they add to the tokens that are sent to them.
public struct StructureChoice {
  /// What was chosen.
  public struct Result {
    public let structure: ModelStructure
    /// The blocks that were chosen to go, the cheapest first.
    public let removed: [BlockRemoval.Choice]
    /// The measured KLD of the model without the blocks and experts that go, in nats a token; nil where no expert goes.
    public let expertDivergence: Double?
  }

  /// Of the labels that gradients are taken of.
  private static let seed: UInt64 = 1
  /// About how many times as long a token takes in a pass that takes gradients.
  private static let gradientCost = 4.0

  private let sizes: PrunableSizes
  /// Blocks to choose; nil leaves the structure's own.
  private let blockCount: Int?
  private var chosen: ModelStructure

  /// A choice that has not begun.
  ///
  /// - Parameters:
  ///   - wanted: How many neurons and heads are to stay, and which blocks go if none are chosen.
  ///   - blockCount: How many blocks to choose; nil for none.
  ///   - sizes: Of the whole model.
  /// - Throws: ``WorkFailure`` when the model cannot be pruned to that.
  public init(
    toward wanted: ModelStructure, blockCount: Int?, of sizes: PrunableSizes
  ) throws(WorkFailure) {
    self.sizes = sizes
    self.blockCount = blockCount
    chosen = wanted
    chosen.cuts = [:]
    if let blockCount {
      guard (0..<sizes.blocks).contains(blockCount) else {
        throw WorkFailure(
          sentence: "\(blockCount) of \(sizes.blocks) blocks cannot be left out")
      }
      chosen.removedBlocks = []
    }
    do { try chosen.checkSizes(for: sizes) } catch { throw WorkFailure(error) }
    if chosen.neurons == sizes.neurons { chosen.neurons = nil }
    if chosen.keyValueHeads == sizes.keyValueHeads { chosen.keyValueHeads = nil }
    if chosen.experts == sizes.experts { chosen.experts = nil }
  }

  /// Whether there are neurons, heads or experts to choose, on a text of their own.
  public var cutsBlocks: Bool { takesGradients || chosen.experts != nil }

  private var takesGradients: Bool { chosen.neurons != nil || chosen.keyValueHeads != nil }

  /// Chooses.
  ///
  /// - Parameters:
  ///   - tokens: The text that blocks are tried on.
  ///   - path: The file that they are from.
  ///   - settings: How it is read.
  ///   - windows: The text that gradients are taken on, and that experts read; nil where nothing is cut.
  ///   - decoder: The whole model.
  ///   - pace: Of everything.
  /// - Returns: What was chosen.
  /// - Throws: ``WorkFailure`` when the model cannot read the text.
  public func run(
    on tokens: [Int], of path: String, settings: Evaluation.Settings,
    gradients windows: TokenWindows?,
    decoder: Decoder, pace: Pace
  ) throws(WorkFailure) -> Result {
    var chosen = chosen
    var removed: [BlockRemoval.Choice] = []
    let share = removalShare(
      tokens: (settings.windowLimit ?? 1) * settings.window,
      gradientTokens: windows.map { $0.count * $0.length } ?? 0)
    var fishers: [String: LayerFisher] = [:]
    var experts: [Int: [Int]] = [:]
    var divergence: Double?
    do throws(InferenceError) {
      if let blockCount, blockCount > 0 {
        removed = try BlockRemoval(
          count: blockCount, tokens: tokens, settings: settings, decoder: decoder
        ).choices(pace: pace.part(from: 0, to: share))
        chosen.removedBlocks = removed.map(\.block).sorted()
      }
      let shorter = decoder.leavingOut(blocks: Set(chosen.removedBlocks))
      if let windows, takesGradients {
        var pass = try FisherPass(windows: windows.all, decoder: shorter, seed: Self.seed)
        try pass.run(pace: pace.part(from: share, to: 1))
        fishers = pass.result
      }
      if let windows, chosen.experts != nil {
        let rest = pace.part(from: takesGradients ? 1 : share, to: 1)
        experts = try removedExperts(of: shorter, on: windows, chosen, rest.part(0, of: 2))
        divergence = try measured(
          shorter.leavingOut(experts: experts), against: decoder, tokens, settings,
          rest.part(1, of: 2))
      }
    } catch .emptyInput {
      throw WorkFailure(sentence: "\(path): the text is too short to score a token")
    } catch {
      throw WorkFailure(error)
    }
    for block in windows == nil ? [] : chosen.keptBlocks(of: sizes) {
      do {
        var cut =
          takesGradients
          ? try chosen.cut(ofBlock: block, by: fishers, in: decoder) : ModelStructure.Cut()
        cut.experts = experts[block] ?? []
        chosen.cuts[block] = cut == ModelStructure.Cut() ? nil : cut
      } catch {
        throw WorkFailure(error)
      }
      try pace.tick(1)
    }
    return Result(structure: chosen, removed: removed, expertDivergence: divergence)
  }

  /// The experts that each block loses.
  private func removedExperts(
    of decoder: Decoder, on windows: TokenWindows, _ chosen: ModelStructure, _ pace: Pace
  ) throws(InferenceError) -> [Int: [Int]] {
    let saliency = try ExpertSaliency(
      of: windows.all, decoder: decoder, pace: pace)
    var removed: [Int: [Int]] = [:]
    for block in chosen.keptBlocks(of: sizes) where sizes.mixtures.contains(block) {
      removed[block] = try chosen.removedExperts(ofBlock: block, by: saliency, of: sizes)
    }
    return removed
  }

  /// The KLD of a pruned model, in nats a token.
  private func measured(
    _ pruned: Decoder, against decoder: Decoder, _ tokens: [Int], _ settings: Evaluation.Settings,
    _ pace: Pace
  ) throws(InferenceError) -> Double? {
    var evaluation = try Evaluation(
      tokens: tokens, settings: settings, reference: decoder, compares: true)
    try evaluation.run(reference: decoder, compressed: pruned, pace: pace)
    return evaluation.result?.divergence?.mean.value
  }

  /// Share of the time that choosing blocks takes, about.
  private func removalShare(tokens: Int, gradientTokens: Int) -> Double {
    let trials = (0..<(blockCount ?? 0)).reduce(0) { $0 + sizes.blocks - $1 }
    let removal = Double(trials * tokens)
    return removal > 0 ? removal / (removal + Self.gradientCost * Double(gradientTokens)) : 0
  }
}
