import Checkpoints
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
    let decoder = try workspace.models.original()
    let moments = try decoder.moments(
      of: windows, pace: turn.pace(of: windows.count * windows.length))
    let calibration = workspace.makeCalibration(
      textPath: request.textPath, windows: windows, moments: moments)
    if let path = request.imatrixPath {
      do {
        try calibration.importanceMatrix(of: workspace.description).write(to: path)
      } catch {
        throw JobFailure(error)
      }
    }
    workspace.accept(calibration)
    workspace.emit(.calibrated(id, calibration.summary))
  }
}
