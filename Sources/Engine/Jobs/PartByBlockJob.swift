import Checkpoints
import Inference
import Work

/// Finds the blocks that make both models part on an answer.
struct PartByBlockJob: Job {
  let id: JobID
  private let request: ReadingRequest

  /// - Throws: ``JobFailure`` for a model that does not run.
  init(id: JobID, request: ReadingRequest, workspace: Workspace) throws(JobFailure) {
    (self.id, self.request) = (id, request)
    try workspace.checkRuns()
  }

  func run(_ turn: Turn) throws(JobFailure) {
    let read = try turn.readAnswer(of: request)
    let pace = turn.pace(of: read.reference.description.blockCount)
    do throws(InferenceError) {
      var pass = try BlockPartingPass(
        of: read.tokens, from: read.start, reference: read.reference, compressed: read.compressed,
        cacheType: request.conversation.cacheType)
      try pass.run(pace: pace) { turn.workspace.emit(.blockParted(id, BlockParting($0))) }
    } catch {
      throw JobFailure(error)
    }
  }
}

extension BlockParting {
  fileprivate init(_ found: BlockPartingPass.Found) {
    let place: Place =
      switch found.place {
      case .embedding: .embedding
      case .block(let block): .block(block)
      case .head: .head
      }
    self.init(
      place: place, relativeError: found.relativeError, ownError: found.ownError,
      divergence: found.divergence, parting: found.parting)
  }
}
