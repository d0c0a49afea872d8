import Checkpoints
import Compression
import Inference
import Procedures
import Work

/// Chooses what structured pruning takes from the model.
struct StructureJob: Job {
  let id: JobID
  private let request: StructureRequest
  private let choice: StructureChoice

  /// - Throws: ``JobFailure`` when the model cannot be pruned to what is asked for.
  init(id: JobID, request: StructureRequest, workspace: Workspace) throws(JobFailure) {
    self.id = id
    self.request = request
    try workspace.checkRuns()
    choice = try StructureChoice(
      toward: request.structure, blockCount: request.blockCount,
      of: workspace.wholeDescription.prunableSizes)
  }

  func run(_ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    let tokens = try workspace.tokens(
      ofText: request.textPath, limit: max(request.blockTokens, request.gradientTokens), turn)
    let window = workspace.windowLength(request.window)
    let settings = try workspace.evaluationSettings(
      window: window, limit: max(request.blockTokens / max(window, 1), 1))
    let windows =
      choice.cutsBlocks
      ? try workspace.windows(
        of: tokens, from: request.textPath, length: request.window,
        tokenLimit: request.gradientTokens) : nil
    let found = try choice.run(
      on: tokens, of: request.textPath, settings: settings, gradients: windows,
      decoder: workspace.models.decoder(.reference), pace: turn.pace(of: 1000))
    workspace.emit(
      .structureChosen(
        id,
        ChosenStructure(
          structure: found.structure,
          losses: found.removed.map { BlockLoss(block: $0.block, divergence: $0.divergence) },
          expertDivergence: found.expertDivergence)))
  }
}
