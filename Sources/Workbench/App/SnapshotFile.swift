import Allocation
import Compression
import Engine
import Foundation
import Inference
import YAML

/// The snapshots of one model as they are saved: JSON with the plans as plan files have them.
struct SnapshotFile: Codable {
  private struct Saved: Codable {
    struct Measured: Codable {
      let text: String
      let result: EvaluationSummary
    }

    let name: String
    /// In YAML.
    let plan: String
    let schemes: [String: Scheme]
    let bytes: Int
    let bitsPerWeight: Double
    let predicted: PredictedDivergence?
    let measured: Measured?
    let answer: SnapshotAnswer?
  }

  private static let version = 1

  /// The format's version.
  private let vise: Int
  private let model: String
  private let fingerprint: String
  private let snapshots: [Saved]

  init(_ snapshots: [Snapshot], model: String, fingerprint: String) {
    vise = Self.version
    self.model = model
    self.fingerprint = fingerprint
    self.snapshots = snapshots.map { snapshot in
      Saved(
        name: snapshot.name, plan: snapshot.plan.yaml(), schemes: snapshot.schemes,
        bytes: snapshot.bytes, bitsPerWeight: snapshot.bitsPerWeight,
        predicted: snapshot.predicted,
        measured: snapshot.evaluation.map { .init(text: $0.textPath, result: $0.result) },
        answer: snapshot.answer)
    }
  }

  /// Reads a file.
  ///
  /// - Returns: its snapshots, each with a name of its own.
  /// - Throws: ``FileError`` when it is damaged, or of a later version.
  static func snapshots(in data: Data, file path: String) throws(FileError) -> [Snapshot] {
    do {
      let file = try JSONDecoder().decode(SnapshotFile.self, from: data)
      guard file.vise == version else {
        throw FileError(file: path, "is of version \(file.vise), and \(version) is what is read")
      }
      var list = SnapshotList()
      for saved in file.snapshots {
        let plan = try Plan(yaml: saved.plan)
        list.add(
          Snapshot(
            name: saved.name, plan: plan, schemes: saved.schemes, bytes: saved.bytes,
            bitsPerWeight: saved.bitsPerWeight, predicted: saved.predicted,
            evaluation: saved.measured.map {
              Evaluation(textPath: $0.text, plan: plan, result: $0.result)
            }, answer: saved.answer))
      }
      return list.all
    } catch let error as FileError {
      throw error
    } catch let error as PlanError {
      throw FileError(file: path, "holds a plan that cannot be read: \(error.reason)")
    } catch {
      throw FileError(file: path, "is damaged")
    }
  }

  func data() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return try encoder.encode(self)
  }
}
