import Allocation
import Checkpoints
import Compression
import Engine

/// Beginning from a quantized file that somebody made of the open model.
extension AppState {
  /// Reads how a file stores the layers; that is the plan then.
  mutating func readLayout(of path: String) -> [Effect] {
    guard model != nil else {
      inform("No model is open; o opens one")
      return []
    }
    let id = jobs.queue(.layout, for: path)
    inform("Reading the layout of \(path)")
    return [.engine(.readLayout(id, LayoutRequest(path: expanded(path))))]
  }

  /// Makes the layout of a file the plan, and its size the budget; of a file that is known already, takes on the figures.
  mutating func take(_ found: StoredLayout, of id: JobID) -> [Effect] {
    guard let model, jobs[id] != nil else { return [] }
    let isNew = layout?.path != found.path
    layout = found
    let figures = text(of: found)
    jobs.note(figures, for: id)
    var effects: [Effect] = []
    if isNew {
      effects += plan(for: found.target)
      effects += adopt(
        model.plan(history.current, of: model.assignment(found.schemes)),
        title: "layout of \(found.path.fileName)", on: "all layers")
    }
    guard model.sensitivity.isEmpty == false else {
      confirm("\(figures); X measures what its bytes buy")
      return effects
    }
    confirm(figures)
    return effects + solve(for: .bytes(found.bytes)) + [.engine(.drawFrontier(allocationSettings))]
  }

  /// Reads the file that the plan began from once more, as its KLD is another one whenever sensitivity is measured or read.
  mutating func readLayoutAgain() -> [Effect] {
    guard let layout else { return [] }
    let id = jobs.queue(.layout, for: layout.path)
    return [.engine(.readLayout(id, LayoutRequest(path: layout.path)))]
  }

  /// `Q4_K_M.gguf: 88 MB, predicted KLD 0.05; 4 layers as the nearest scheme`.
  private func text(of layout: StoredLayout) -> String {
    var parts = ["\(layout.path.fileName): \(Figures.totalBytes(layout.bytes))"]
    if let predicted = layout.predicted {
      parts[0] += ", predicted KLD \(Figures.significant(predicted.mean))"
    }
    let others = layout.layers.count { !$0.isExact }
    if others > 0 {
      parts.append(
        "\(others == 1 ? "1 layer has" : "\(others) layers have") the nearest scheme that is written here"
      )
    }
    return parts.joined(separator: "; ")
  }
}
