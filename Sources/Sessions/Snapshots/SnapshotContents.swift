import Allocation
import Compression
import Foundation

/// A snapshot as JSON, with its plan as plan files have it.
struct SnapshotContents: Codable {
  let name: String
  /// In YAML.
  let plan: String
  let schemes: [String: Scheme]
  let bytes: Int
  let bitsPerWeight: Double
  let predicted: PredictedDivergence?
  let measured: Snapshot.Measured?
  let answer: SnapshotAnswer?

  init(_ snapshot: Snapshot) {
    name = snapshot.name
    plan = snapshot.plan.yaml()
    schemes = snapshot.schemes
    (bytes, bitsPerWeight) = (snapshot.bytes, snapshot.bitsPerWeight)
    (predicted, measured, answer) = (snapshot.predicted, snapshot.measured, snapshot.answer)
  }

  /// - Throws: ``PlanError`` for a plan that cannot be read.
  func snapshot() throws(PlanError) -> Snapshot {
    Snapshot(
      name: name, plan: try Plan(yaml: plan), schemes: schemes, bytes: bytes,
      bitsPerWeight: bitsPerWeight, predicted: predicted, measured: measured, answer: answer)
  }
}
