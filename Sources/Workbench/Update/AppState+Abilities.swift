import Checkpoints
import Engine

extension AppState {
  /// Why the open model cannot do what was asked for; nil if it can, or if nothing is open.
  func obstacle(to command: Command) -> String? {
    guard let model, let obstacle = model.description.abilities.runningObstacle else { return nil }
    switch command.action {
    // A server may answer what the model itself cannot.
    case .prompt, .run, .regenerate, .prompts:
      if conversation.settings.server != nil { return nil }
    case .sensitivity: if opensSensitivity(command.argument) { return nil }
    case .evaluate, .calibrate, .refine, .part: break
    default: return nil
    }
    return "\(command.action.rawValue): \(obstacle)"
  }

  /// Figures that were measured elsewhere are read without running anything.
  private func opensSensitivity(_ argument: String?) -> Bool {
    guard let word = argument?.split(separator: " ").first else { return false }
    return SensitivityVerb(rawValue: String(word)) == .open
  }

  /// What is to be known of a model that was just opened.
  mutating func introduce(_ description: ModelDescription) {
    let size = Figures.totalBytes(description.tensorBytes)
    let facts = "\(description.name): \(description.layers.count) layers, \(size)"
    if let obstacle = description.abilities.runningObstacle {
      warn("weights only: \(obstacle)")
    } else if let note = description.notes.first {
      let others = description.notes.count - 1
      let more = others > 0 ? " (\(others) more: vise inspect)" : ""
      inform("\(facts). \(note)\(more)")
    } else {
      confirm("\(facts). 2-8 sets bits, p prompts, ? shows all keys")
    }
  }
}
