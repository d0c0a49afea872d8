import Checkpoints
import Compression
import Inference
import Tokenization

/// Chooses what structured pruning takes from the model as it was opened.
///
/// Blocks go first, by the KLD measured without each; gradients of what is left then say which neurons and heads.
struct StructureJob: Job {
  /// What a step works on, in this order.
  private enum Phase {
    case reading(TextWork)
    case removing(BlockRemoval, tokens: [Int])
    case differentiating(FisherPass)
    case cutting([String: LayerFisher], blocks: ArraySlice<Int>)
  }

  /// Of the labels that gradients are taken of.
  private static let seed: UInt64 = 1
  /// About how many times as long a token takes in a pass that takes gradients.
  private static let gradientCost = 4.0

  let id: JobID
  private let request: StructureRequest
  private let whole: PrunableSizes
  private var chosen: ModelStructure
  private var losses: [BlockLoss] = []
  private var phase: Phase
  private var meter: ProgressMeter

  /// A choice that has not begun.
  ///
  /// - Throws: ``JobFailure`` when the model cannot be pruned to what is asked for.
  init(id: JobID, request: StructureRequest, workspace: Workspace) throws(JobFailure) {
    self.id = id
    self.request = request
    try workspace.checkRuns()
    whole = workspace.wholeDescription.prunableSizes
    chosen = request.structure
    chosen.cuts = [:]
    if let count = request.blockCount {
      guard (0..<whole.blocks).contains(count) else {
        throw JobFailure(sentence: "\(count) of \(whole.blocks) blocks cannot be left out")
      }
      chosen.removedBlocks = []
    }
    do { try chosen.checkSizes(for: whole) } catch { throw JobFailure(error) }
    if chosen.neurons == whole.neurons { chosen.neurons = nil }
    if chosen.keyValueHeads == whole.keyValueHeads { chosen.keyValueHeads = nil }
    phase = .reading(Self.text(request, for: id))
    meter = ProgressMeter(workLeft: 1, now: workspace.now())
  }

  func urgency(in workspace: Workspace) -> Urgency? { .background }

  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> JobState {
    let current = phase
    // Held in one place only while it works, so that nothing of it is copied.
    phase = .reading(Self.text(request, for: id))
    switch current {
    case .reading(var text):
      guard let tokens = try text.step(in: &workspace) else {
        phase = .reading(text)
        break
      }
      return try begin(tokens, in: &workspace)
    case .removing(var removal, let tokens):
      let goesOn: Bool
      do { goesOn = try removal.step() } catch { throw JobFailure(error) }
      sayHowFar(removalShare * removal.fractionCompleted, in: workspace)
      if goesOn {
        phase = .removing(removal, tokens: tokens)
        break
      }
      losses = removal.choices.map { BlockLoss(block: $0.block, divergence: $0.divergence) }
      chosen.removedBlocks = losses.map(\.block).sorted()
      return try differentiate(tokens, in: &workspace)
    case .differentiating(var pass):
      let goesOn = pass.step()
      sayHowFar(removalShare + (1 - removalShare) * pass.fractionCompleted, in: workspace)
      phase =
        goesOn
        ? .differentiating(pass) : .cutting(pass.result, blocks: chosen.keptBlocks(of: whole)[...])
    case .cutting(let fishers, var blocks):
      guard let block = blocks.popFirst() else { return finish(in: workspace) }
      let decoder = try workspace.models.decoder(.reference)
      do {
        chosen.cuts[block] = try chosen.cut(ofBlock: block, by: fishers, in: decoder)
      } catch {
        throw JobFailure(error)
      }
      phase = .cutting(fishers, blocks: blocks)
    }
    return .unfinished
  }

  private static func text(_ request: StructureRequest, for id: JobID) -> TextWork {
    TextWork(
      path: request.textPath, limit: max(request.blockTokens, request.gradientTokens), for: id)
  }

  /// Whether there are neurons or heads to choose.
  private var cutsBlocks: Bool { chosen.neurons != nil || chosen.keyValueHeads != nil }

  /// Share of the time that choosing blocks takes, about.
  private var removalShare: Double {
    let trials = (0..<(request.blockCount ?? 0)).reduce(0) { $0 + whole.blocks - $1 }
    let removal = Double(trials * request.blockTokens)
    let gradients = cutsBlocks ? Self.gradientCost * Double(request.gradientTokens) : 0
    return removal > 0 ? removal / (removal + gradients) : 0
  }

  /// Turns to the blocks, if some are to be chosen.
  private mutating func begin(
    _ tokens: [Int], in workspace: inout Workspace
  ) throws(JobFailure) -> JobState {
    guard let count = request.blockCount, count > 0 else {
      return try differentiate(tokens, in: &workspace)
    }
    let tokenizer = try workspace.models.tokenizer()
    let window = workspace.windowLength(request.window)
    let settings = Evaluation.Settings(
      window: window, windowLimit: max(request.blockTokens / max(window, 1), 1),
      beginToken: tokenizer.textBegin)
    let decoder = try workspace.models.decoder(.reference)
    do {
      phase = .removing(
        try BlockRemoval(count: count, tokens: tokens, settings: settings, decoder: decoder),
        tokens: tokens)
    } catch .emptyInput {
      throw JobFailure(sentence: "\(request.textPath): the text is too short to score a token")
    } catch {
      throw JobFailure(error)
    }
    return .unfinished
  }

  /// Turns to the gradients of the blocks that are left, if neurons or heads are to be chosen.
  private mutating func differentiate(
    _ tokens: [Int], in workspace: inout Workspace
  ) throws(JobFailure) -> JobState {
    guard cutsBlocks else { return finish(in: workspace) }
    let windows = try TextWork.windows(
      of: tokens, from: request.textPath, length: request.window,
      tokenLimit: request.gradientTokens, in: &workspace)
    let decoder = try workspace.models.decoder(.reference)
    do {
      phase = .differentiating(
        try FisherPass(
          windows: windows.all,
          decoder: decoder.leavingOut(blocks: Set(chosen.removedBlocks)), seed: Self.seed))
    } catch {
      throw JobFailure(error)
    }
    return .unfinished
  }

  private func finish(in workspace: Workspace) -> JobState {
    workspace.emit(.structureChosen(id, ChosenStructure(structure: chosen, losses: losses)))
    return .finished
  }

  /// Progress in thousandths.
  private mutating func sayHowFar(_ share: Double, in workspace: Workspace) {
    let progress = meter.report(
      completed: Int(1000 * share), of: 1000, workLeft: 1 - share, now: workspace.now())
    if let progress { workspace.emit(.jobProgress(id, progress)) }
  }
}
