import Checkpoints
import Compression
import Engine
import Inference

extension AppState {
  /// Asks the engine what to take from the model, or takes nothing from it any more.
  mutating func prune(_ text: String) -> [Effect] {
    guard let model else {
      inform("No model is open; o opens one")
      return []
    }
    guard let words = PruneWords(text) else {
      refuse(
        "\"\(text)\" prunes nothing; write neurons 75%, heads 2, experts 50%, blocks 2 or none")
      return []
    }
    guard words != .none else { return restructure(to: nil, title: "prune none") }
    let (structure, blockCount) = words.request(
      changing: history.current.structure, of: model.whole.prunableSizes)
    do throws(PlanError) {
      try structure.checkSizes(for: model.whole.prunableSizes)
    } catch {
      refuse(error.reason)
      return []
    }
    guard !calibrationText.isEmpty else {
      refuse("No text to choose by: C names one")
      return []
    }
    let id = jobs.queue(.prune, for: text)
    inform("Choosing by \(calibrationText) what to prune: \(text)")
    return [
      .engine(
        .chooseStructure(
          id,
          StructureRequest(
            textPath: expanded(calibrationText), structure: structure, blockCount: blockCount)))
    ]
  }

  /// Takes on what was chosen, in one undoable change.
  mutating func take(_ chosen: ChosenStructure, of id: JobID) -> [Effect] {
    guard let job = jobs[id] else { return [] }
    var losses = chosen.losses.map { loss in
      "without block \(loss.block) KLD \(Figures.significant(loss.divergence))"
    }
    if let divergence = chosen.expertDivergence {
      losses.append("without its experts KLD \(Figures.significant(divergence))")
    }
    jobs.note(losses.isEmpty ? "chosen" : losses.joined(separator: ", "), for: id)
    return restructure(to: chosen.structure, title: job.title)
  }

  /// Makes a plan that prunes otherwise the current one; layers that stay keep their schemes.
  private mutating func restructure(to structure: ModelStructure?, title: String) -> [Effect] {
    guard let model else { return [] }
    let plan: Plan
    do throws(PlanError) {
      plan = try history.current.restructured(to: structure, of: model.whole)
    } catch {
      refuse(error.description)
      return []
    }
    return adopt(plan, title: title, on: model.description.name)
  }

  /// Shows the layers of the model that the plan prunes to, or the whole model's again.
  mutating func show(restructured description: ModelDescription) -> [Effect] {
    guard let before = model else { return [] }
    var model = OpenModel(description, openedAs: before.whole)
    do {
      try model.apply(history.current)
    } catch {
      refuse("\(error)")
    }
    self.model = model
    table = LayerTable(of: model)
    evaluations.resolve(for: model, structure: history.current.structure)
    budget.forgetSolves()
    // What was known of the layers' inputs is of the model as it was pruned before.
    (calibration, predicted) = (nil, nil)
    (lookedAt, previewed) = ([], nil)
    let sizes = description.prunableSizes
    confirm(
      "\(sizes.blocks) blocks of \(sizes.neurons) neurons and \(sizes.keyValueHeads) KV heads: "
        + "\(Figures.totalBytes(before.plannedBytes)) \(glyphs.arrow) "
        + Figures.totalBytes(model.plannedBytes))
    guard let memory = session.pending else { return outlineEffects }
    session.pending = nil
    return outlineEffects + putBack(memory)
  }
}
