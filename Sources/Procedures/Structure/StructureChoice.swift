import Checkpoints
import Compression
import Inference
import Work

/// Chooses what structured pruning takes from a model: blocks whose absence costs least KLD, then neurons and heads of the
/// blocks that are left, by gradients.
public struct StructureChoice {
  /// What was chosen.
  public struct Result {
    public let structure: ModelStructure
    /// The blocks that were chosen to go, the cheapest first.
    public let removed: [BlockRemoval.Choice]
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
  }

  /// Whether there are neurons or heads to choose.
  public var cutsBlocks: Bool { chosen.neurons != nil || chosen.keyValueHeads != nil }

  /// Chooses.
  ///
  /// - Parameters:
  ///   - tokens: The text that blocks are tried on.
  ///   - path: The file that they are from.
  ///   - settings: How it is read.
  ///   - windows: The text that gradients are taken on; nil where nothing is cut.
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
    do throws(InferenceError) {
      if let blockCount, blockCount > 0 {
        removed = try BlockRemoval(
          count: blockCount, tokens: tokens, settings: settings, decoder: decoder
        ).choices(pace: pace.part(from: 0, to: share))
        chosen.removedBlocks = removed.map(\.block).sorted()
      }
      if let windows {
        var pass = try FisherPass(
          windows: windows.all, decoder: decoder.leavingOut(blocks: Set(chosen.removedBlocks)),
          seed: Self.seed)
        try pass.run(pace: pace.part(from: share, to: 1))
        fishers = pass.result
      }
    } catch .emptyInput {
      throw WorkFailure(sentence: "\(path): the text is too short to score a token")
    } catch {
      throw WorkFailure(error)
    }
    for block in windows == nil ? [] : chosen.keptBlocks(of: sizes) {
      do {
        chosen.cuts[block] = try chosen.cut(ofBlock: block, by: fishers, in: decoder)
      } catch {
        throw WorkFailure(error)
      }
      try pace.tick(1)
    }
    return Result(structure: chosen, removed: removed)
  }

  /// Share of the time that choosing blocks takes, about.
  private func removalShare(tokens: Int, gradientTokens: Int) -> Double {
    let trials = (0..<(blockCount ?? 0)).reduce(0) { $0 + sizes.blocks - $1 }
    let removal = Double(trials * tokens)
    return removal > 0 ? removal / (removal + Self.gradientCost * Double(gradientTokens)) : 0
  }
}
