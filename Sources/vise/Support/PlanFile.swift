import Checkpoints
import Compression
import FoundationEssentials
import Tensors

/// Plan files as the command line names them.
enum PlanFile {
  /// Reads the plan at `path`.
  ///
  /// - Throws: ``CommandFailure`` that names the file and, if its text is at fault, the line.
  static func read(_ path: String) throws(CommandFailure) -> Plan {
    let text: String
    do {
      text = try TextFile.read(path, limit: Plan.sizeLimit, as: "a plan")
    } catch {
      throw CommandFailure(status: .badPlan, message: error.description)
    }
    do {
      return try Plan(yaml: text)
    } catch {
      var located = error
      located.file = path
      throw CommandFailure(status: .badPlan, message: located.description)
    }
  }

  /// Writes a plan to `path`, in place of what was there.
  ///
  /// - Throws: ``CommandFailure`` that names the file.
  static func write(_ plan: Plan, to path: String) throws(CommandFailure) {
    do {
      try OutputFile.write(Array(plan.yaml().utf8), to: path)
    } catch {
      throw CommandFailure(status: .failed, message: "\(path): cannot be written: \(error.reason)")
    }
  }
}

extension Plan {
  /// A plan for a model that gives its layers these schemes, by their names.
  init(schemes: [String: Scheme], of model: ModelDescription) {
    self.init(schemes: schemes, for: model.layerShapes)
    (self.model, fingerprint) = (model.name, model.fingerprint)
  }
}
