import Allocation
import Checkpoints
import Compression
import Tensors
import Work

/// What is known of the layers' sensitivity, and what is learned of it.
extension Workspace {
  /// Most weights that a checkpoint is told from another by.
  private static let checkedWeights = 1 << 22

  /// Takes on the measured KLD of a plan, and says what predictions are now.
  func learn(_ measurement: MeasuredPlan, from job: JobID) {
    guard sensitivity?.record(measurement) == true, let sensitivity else { return }
    emit(.sensitivityRefined(job, SensitivitySummary(sensitivity, path: nil)))
    emit(.predicted(predictedDivergence()))
  }

  /// - Throws: ``JobFailure`` when there is none, or the file cannot be written.
  func saveSensitivity(to path: String) throws(JobFailure) {
    let sensitivity = try knownSensitivity()
    do { try sensitivity.write(to: path) } catch { throw JobFailure(error) }
  }

  /// Checks that sensitivity was measured on these very weights: two checkpoints of one architecture have the same
  /// fingerprint, so the energies of some small layers are compared.
  ///
  /// - Throws: ``SensitivityError``, or ``JobFailure`` for a layer that cannot be read.
  func check(_ sensitivity: Sensitivity) throws {
    try sensitivity.check(fits: description)
    var weightsLeft = Self.checkedWeights
    for layer in sensitivity.layers {
      guard let number = number(of: layer.layer), weights(of: number) <= weightsLeft else {
        continue
      }
      weightsLeft -= weights(of: number)
      let weights = try matrix(of: number).decoded()
      let energy = weights.energies(columns: 0..<weights.columns).reduce(0, +)
      guard (energy - layer.energy).magnitude <= 1e-4 * layer.energy else {
        throw SensitivityError.otherModel(
          measured: sensitivity.origin.model, open: description.name)
      }
    }
  }
}
