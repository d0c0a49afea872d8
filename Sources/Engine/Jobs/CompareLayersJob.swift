import Checkpoints
import Glibc
import Procedures
import Work

/// Compares layers of the open model with those of another checkpoint.
struct CompareLayersJob: Job {
  let id: JobID
  private let reference: Checkpoint
  private let comparison: LayerComparison
  private let pairs: [LayerComparison.Pair]

  /// - Throws: ``JobFailure`` when the reference cannot be opened, or is not the same model.
  init(
    id: JobID, request: LayerComparisonRequest, workspace: Workspace
  ) throws(JobFailure) {
    self.id = id
    do {
      reference = try Checkpoint.open(request.referencePath)
    } catch {
      throw JobFailure(error)
    }
    comparison = try LayerComparison(of: workspace.checkpoint, with: reference)
    let wanted = request.layers.map(Set.init)
    pairs = comparison.pairs.filter { wanted?.contains($0.open.name) ?? true }
  }

  func run(_ turn: Turn) throws(JobFailure) {
    turn.otherCheckpoints = [reference]
    let pace = turn.pace(of: pairs.count)
    var differences: [LayerDifference] = []
    for (pair, pace) in pace.parts(pairs) {
      let found = try comparison.difference(of: pair, pace: pace)
      differences.append(
        LayerDifference(
          layer: pair.open.name,
          reference: .init(scheme: pair.reference.storedText, bytes: pair.reference.bytes),
          compared: .init(scheme: pair.open.storedText, bytes: pair.open.bytes),
          relativeError: found.relativeError,
          sqnr: found.relativeError.flatMap { $0 > 0 ? -20 * log10($0) : nil }))
    }
    turn.workspace.emit(.layersCompared(id, differences))
  }
}
