import Compression
import Engine
import Export

/// Planning for a target: its bytes, what it cannot hold, and the nearest that it can.
extension AppState {
  /// Plans for the target of that name from now on, or for none.
  mutating func planFor(_ name: String) -> [Effect] {
    guard name != Self.noTarget else { return plan(for: nil) }
    guard let target = ExportTarget(rawValue: name) else {
      let known = ExportTarget.allCases.map(\.rawValue) + [Self.noTarget]
      refuse("No target \"\(name)\"; there are \(known.joined(separator: ", "))")
      return []
    }
    return plan(for: target)
  }

  /// What `:target` says for no target.
  static let noTarget = "none"

  /// Plans for a target, or for none; budgets are solved again for what it can hold.
  mutating func plan(for target: ExportTarget?) -> [Effect] {
    guard target != self.target else { return [] }
    self.target = target
    model?.plan(for: nil)
    if model?.sensitivity.isEmpty != false { budget.choices = .offered(for: target) }
    inform(
      target.map { "Planning for \(TargetLimits.of($0).name)" } ?? "Planning for no target")
    return outlineEffects + solveAgain()
  }

  /// Asks what decides the bytes of the target's files.
  var outlineEffects: [Effect] {
    guard model != nil, let target else { return [] }
    return [.engine(.outlineExport(target))]
  }

  /// Takes that on, if it is of the target and the model as they are now.
  mutating func take(_ outline: ExportOutline) {
    guard outline.target == target, let model, outline.shapes == model.shapes else { return }
    self.model?.plan(for: outline)
    guard let forecast = self.model?.forecast, !forecast.isExact else { return }
    inform("\(misfitText(forecast.refusals.count)) \(outline.target.rawValue); F gives the nearest")
  }

  /// `3 layers do not fit`.
  func misfitText(_ count: Int) -> String {
    count == 1 ? "1 layer does not fit" : "\(count) layers do not fit"
  }

  mutating func refuseTarget(_ target: ExportTarget, _ reason: String) {
    guard target == self.target else { return }
    refuse("\(target.rawValue): \(reason)")
  }

  /// Gives layers the nearest schemes that the target can hold, in one undoable change: the marked ones, or all.
  mutating func takeNearest() -> [Effect] {
    guard let model else {
      inform("No model is open; o opens one")
      return []
    }
    guard let target else { return ask(for: .target) }
    guard let outline = model.outline, let forecast = model.forecast else { return [] }
    let marked = table.shownMarks.isEmpty && table.anchor == nil ? nil : Set(targets)
    let misfits = forecast.refusals.keys.filter { marked?.contains($0) ?? true }
    guard !misfits.isEmpty else {
      let what = marked == nil ? "all layers" : "the marked layers"
      inform("\(target.rawValue) can hold \(what) of this plan")
      return []
    }
    return take(nearest: outline.nearest(to: model.schemes, changing: marked), for: target.rawValue)
  }

  /// Makes one change of schemes that a target can hold.
  mutating func take(nearest schemes: [Scheme], for name: String) -> [Effect] {
    guard let model else { return [] }
    let layers = schemes.indices.filter { schemes[$0] != model.schemes[$0] }
    return change("nearest for \(name)", layers) { SchemeChange(exactly: schemes[$0]) }
  }
}
