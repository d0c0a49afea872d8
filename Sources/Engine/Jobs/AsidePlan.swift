import Compression
import Inference
import Work

/// A plan that one job measures while another one is current.
struct AsidePlan {
  private let plan: Plan

  init(_ plan: Plan) { self.plan = plan }

  /// Whether a layer of it is compressed with what a calibration tells that is not there.
  ///
  /// - Throws: ``JobFailure`` when it does not fit the model.
  func needsCalibration(in workspace: Workspace) throws(JobFailure) -> Bool {
    // What is pruned otherwise needs a calibration of its own.
    guard plan.structure == workspace.structure else { return false }
    do throws(PlanError) {
      return try workspace.schemes(of: plan).enumerated().contains { number, scheme in
        workspace.lacksCalibration(for: scheme, of: number)
      }
    } catch {
      throw JobFailure(error)
    }
  }

  /// The model under the plan, compressed within the turn.
  ///
  /// - Returns: a workspace of its own: what runs, and what is planned, stays as it is.
  /// - Throws: ``JobFailure`` when the plan does not fit the model, or memory cannot hold it, or its methods need a
  ///   calibration of a model that is pruned otherwise.
  func workspace(_ turn: Turn) throws(JobFailure) -> Workspace {
    let workspace = turn.workspace
    if try needsCalibration(in: workspace) {
      try turn.wait { ((try? needsCalibration(in: workspace)) ?? false) == false }
    }
    let aside: Workspace
    do throws(InferenceError) {
      aside = try workspace.aside(prunedBy: plan.structure) { event in
        // How far its layers are is how far the job is.
        if case .jobProgress(_, let progress) = event {
          workspace.emit(.jobProgress(turn.job, progress))
        }
      }
    } catch {
      throw JobFailure(error)
    }
    do throws(PlanError) { try aside.setPlan(plan) } catch { throw JobFailure(error) }
    guard !aside.plan.needsCalibration else {
      throw JobFailure(
        sentence: "the plan prunes the model otherwise than it is pruned now, and its methods need "
          + "a calibration of that; make it the current plan")
    }
    let inner = Turn(turn.job, in: aside)
    inner.pause = { () throws(JobFailure) in try turn.tick() }
    try CompressJob(workspace: aside).run(inner)
    return aside
  }
}
