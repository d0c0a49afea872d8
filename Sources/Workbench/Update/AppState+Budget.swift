import Checkpoints
import Compression
import Engine
import Export
import Fitting

extension AppState {
  /// What the solver may choose from now.
  var allocationSettings: AllocationSettings {
    budget.settings(measured: model?.sensitivity.isEmpty == false, target: target)
  }

  /// The layers that the proposal changes, against the plan or the solve before.
  var budgetChanges: [LayerChange] {
    guard let model, let proposal = budget.proposal else { return [] }
    let before =
      switch budget.baseline {
      case .plan: model.schemes
      case .lastSolve: budget.lastSolve.map(model.assignment) ?? model.schemes
      }
    return model.changes(from: before, to: model.assignment(proposal.schemes))
  }

  /// Shows the Budget screen, and asks for a budget once it can be solved for; an argument sets it.
  mutating func setBudget(_ text: String?) -> [Effect] {
    let wasShown = screen == .budget
    _ = show(.budget)
    guard let text else {
      let isMeasured = model?.sensitivity.isEmpty == false
      return wasShown || isMeasured ? ask(for: .budget) : []
    }
    if let budget = FitBudget(text) { return solve(for: budget) }
    guard let target = BudgetTarget(text) else {
      refuse("\"\(text)\" is no budget; write 90MB, 24 GB with 32k of context, 4.5bpw or kld=0.05")
      return []
    }
    guard isMeasured() else { return [] }
    return solve(for: target)
  }

  /// Whether the engine can solve; says what to do if not.
  mutating func isMeasured() -> Bool {
    guard model?.sensitivity.isEmpty == false else {
      inform(model == nil ? "No model is open; o opens one" : "X measures sensitivity first")
      return false
    }
    return true
  }

  mutating func solve(for target: BudgetTarget) -> [Effect] {
    budget.target = target
    (budget.refusal, budget.appliesAnswer) = (nil, false)
    return [.engine(.allocate(target, allocationSettings))]
  }

  /// Moves the budget by steps of the axis, or to an end of it.
  mutating func moveBudget(_ action: Action) -> [Effect] {
    guard isMeasured(), let range = budgetRange else { return [] }
    let extent = Double(range.upperBound - range.lowerBound)
    let isBig = action == .smaller || action == .larger
    let step = Int(max(1, Axis.roundStep(extent / (isBig ? 20 : 200))))
    let now = min(max(budgetBytes ?? range.lowerBound, range.lowerBound), range.upperBound)
    let next =
      switch action {
      // To the next multiple of the step, so that budgets are round.
      case .left, .smaller: (now - 1) / step * step
      case .right, .larger: (now / step + 1) * step
      case .smallest: range.lowerBound
      default: range.upperBound
      }
    return solve(for: .bytes(min(max(next, range.lowerBound), range.upperBound)))
  }

  /// The bytes that the budget stands at: asked for, found, or else the plan's.
  private var budgetBytes: Int? {
    if case .bytes(let bytes)? = budget.target { return bytes }
    return budget.proposal?.bytes ?? model?.plannedBytes
  }

  /// Changes what the solver may choose from, and solves again.
  mutating func setBudgetOption(_ command: Command) -> [Effect] {
    switch command.action {
    case .fuse:
      budget.fusesLayers.toggle()
      inform(
        budget.fusesLayers
          ? "q, k, v and gate, up get one scheme each" : "Every layer gets its own scheme")
    case .exact:
      budget.isExact.toggle()
      inform(
        budget.isExact
          ? "Solves exactly" : "Solves quickly, and shows how far at most it is from the best plan")
    case .versus:
      budget.baseline = budget.baseline == .plan ? .lastSolve : .plan
      budget.cursor = 0
      return []
    case .pin: return pin()
    case .mark, .markAll:
      guard budget.list == .schemes else {
        inform("space chooses schemes; Tab shows them")
        return []
      }
      if command.action == .mark {
        budget.choices.toggle(budget.cursor)
      } else {
        budget.choices.toggleFamily(of: budget.cursor)
      }
    default: return []
    }
    return solveAgain()
  }

  /// Asks for the frontier and the plan anew; the plot keeps the old ones until they come.
  func solveAgain() -> [Effect] {
    guard model?.sensitivity.isEmpty == false else { return [] }
    return [.engine(.drawFrontier(allocationSettings))]
      + (budget.target.map { [.engine(.allocate($0, allocationSettings))] } ?? [])
  }

  /// Pins the chosen layers, or the one under the cursor of the proposal's changes.
  private mutating func pin() -> [Effect] {
    guard let model else { return [] }
    var layers = targets
    if screen == .budget {
      let changes = budgetChanges
      let isChange = budget.list == .changes && changes.indices.contains(budget.cursor)
      layers = isChange ? [changes[budget.cursor].layer] : []
    }
    guard !layers.isEmpty else {
      inform("P pins the layer under the cursor of the changes, or marked layers in the table")
      return []
    }
    let names = layers.map { model.layers[$0].name }
    let isPinned = budget.togglePins(names)
    let what = names.count == 1 ? names[0] : "\(names.count) layers"
    inform(isPinned ? "Pinned \(what): the solver keeps the plan's scheme" : "Freed \(what)")
    return solveAgain()
  }

  /// Makes the proposal the plan, in one undoable change.
  mutating func applyBudget() -> [Effect] {
    if budget.isPending {
      budget.appliesAnswer = true
      inform("The solver is at work: its answer will be the plan")
      return []
    }
    guard let model, let proposal = budget.proposal else {
      inform("Nothing is proposed yet; b types a budget")
      return []
    }
    return adopt(
      model.plan(history.current, of: model.assignment(proposal.schemes)),
      title: "budget \(BudgetWords.text(proposal.target))", on: "all layers")
  }

  /// Moves in the list beside the plot.
  mutating func moveInBudget(by distance: Int) {
    let count = budget.list == .changes ? budgetChanges.count : budget.choices.schemes.count
    budget.cursor = max(0, min(budget.cursor + distance, count - 1))
  }

  // MARK: Answers

  mutating func take(_ frontier: Frontier) -> [Effect] {
    budget.frontier = frontier
    guard budget.target == nil, let range = budgetRange, let model else { return [] }
    // A plan that compresses is what people want bettered; else a third of the way is a start.
    let bytes = model.plannedBytes
    let isCompressed = model.schemes.contains { !$0.keepsLayer }
    let start =
      isCompressed ? bytes : range.lowerBound + (range.upperBound - range.lowerBound) / 3
    return solve(for: .bytes(min(max(start, range.lowerBound), range.upperBound)))
  }

  mutating func take(_ result: AllocationResult) -> [Effect] {
    let forecast = model.flatMap { model in
      model.outline?.forecast(of: model.assignment(result.schemes))
    }
    budget.accept(result, forecast)
    guard budget.appliesAnswer, !budget.isPending else { return [] }
    budget.appliesAnswer = false
    return applyBudget()
  }

  mutating func refuseBudget(_ target: BudgetTarget, _ reason: String) {
    guard target == budget.target else { return }
    (budget.refusal, budget.appliesAnswer) = (reason, false)
  }
}
