import Checkpoints
import Compression
import Inference
import Procedures
import Work

/// Runs a text through the model once, and keeps what its layers read.
struct CalibrateJob: Job {
  let id: JobID
  let request: CalibrationRequest

  var lane: Lane { .calibration }

  func run(_ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    let tokens = try workspace.tokens(ofText: request.textPath, limit: request.tokenLimit, turn)
    let windows = try workspace.windows(
      of: tokens, from: request.textPath, length: request.window, tokenLimit: request.tokenLimit)
    var calibration = workspace.makeCalibration(textPath: request.textPath, windows: windows)
    if !canWait(in: workspace) {
      calibration.moments = try workspace.moments(of: windows, turn)
    }
    if let path = request.imatrixPath {
      do {
        try calibration.importanceMatrix(of: workspace.description).write(to: path)
      } catch {
        throw JobFailure(error)
      }
    }
    workspace.accept(calibration)
    workspace.emit(.calibrated(id, calibration.summary(of: workspace.description)))
  }

  /// Whether nobody asks for second moments yet: methods that sweep collect their own.
  private func canWait(in workspace: Workspace) -> Bool {
    request.collectsWhenNeeded && request.imatrixPath == nil && !workspace.plan.needsMoments
      && !workspace.awaitsMoments
      && workspace.description.layers.allSatisfy { $0.count == 1 }
  }
}

/// Collects the second moments that a calibration left out, and goes on calibrating with them.
struct MomentsJob: Job {
  let id: JobID

  var lane: Lane { .calibration }

  func run(_ turn: Turn) throws(JobFailure) {
    let workspace = turn.workspace
    let calibration = try workspace.knownCalibration()
    let moments = try workspace.moments(of: calibration.windows, turn)
    // Another calibration that came meanwhile has none of these.
    if workspace.calibration?.number == calibration.number { workspace.accept(moments) }
  }
}

extension Workspace {
  /// Second moments of what all layers read of a text.
  fileprivate func moments(
    of windows: TokenWindows, _ turn: Turn
  ) throws(JobFailure) -> [InputSite: InputStatistics] {
    let tokens = windows.count * windows.length
    let speed = try speed(Pace { _ throws(JobFailure) in try turn.tick() })
    let estimate = speed.calibration(tokens: tokens)
    return try models.original().moments(
      of: windows, pace: turn.pace(of: tokens, estimate: estimate))
  }
}
