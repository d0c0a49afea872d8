import Checkpoints
import Compression
import Engine
import Inference

extension EngineSession {
  /// Makes `plan` the current one, after saying what in it looks like a mistake.
  ///
  /// - Parameters:
  ///   - plan: the plan.
  ///   - path: where it was read; nil if the command line itself says it.
  ///   - model: the model that is open.
  func setPlan(_ plan: Plan, from path: String? = nil, for model: ModelDescription) {
    let source = path.map { "\($0): " } ?? ""
    if let made = plan.fingerprint, model.match(of: made) == .other {
      warn("\(source)made for another checkpoint\(plan.model.map { ", \($0)" } ?? "")")
    }
    for rule in plan.unmatchedRules(in: model.layerShapes) {
      warn("\(source)no layer is called \(rule.layers.joined(separator: " or "))")
    }
    send(.setPlan(plan))
  }

  /// Says what was done without having been asked for.
  func note(_ message: String) {
    OutputStream.error.writeLine("vise: \(message)")
  }

  /// What is damaged of the norms and biases of a model, or of all tensors: a sentence each.
  func damage(in path: String, readsAll: Bool = false) throws(CommandFailure) -> [String] {
    do throws(CheckpointError) {
      let checkpoint = try Checkpoint.open(path)
      return readsAll ? checkpoint.damagedTensors() : checkpoint.damagedVectors()
    } catch {
      throw CommandFailure(status: .unreadableModel, message: "\(error)")
    }
  }

  /// Says something that is no reason to end.
  func warn(_ message: String) {
    OutputStream.error.writeLine("vise: warning: \(message)")
  }
}
