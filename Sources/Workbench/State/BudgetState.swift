import Allocation
import Checkpoints
import Compression
import Engine
import Export

/// What the Budget screen shows and asks for.
struct BudgetState: Hashable, Sendable {
  /// The lists that share the place beside the plot.
  enum List: String, CaseIterable, Codable, Hashable, Sendable {
    case changes, schemes
  }

  /// What proposed schemes are compared with.
  enum Baseline: Hashable, Sendable {
    case plan, lastSolve
  }

  /// What was asked for last; nil before anything was.
  var target: BudgetTarget?
  private(set) var proposal: AllocationResult?
  /// What the target's files would hold of the proposal; nil without a target.
  private(set) var forecast: ExportForecast?
  /// The schemes of the solve before the proposal.
  private(set) var lastSolve: [String: Scheme]?
  /// Why the target cannot be reached.
  var refusal: String?
  /// Whether the answer that is to come was made the plan already.
  var appliesAnswer = false
  var frontier: Frontier?
  /// How predictions agree with what was measured; nil before anything was.
  var agreement: PredictionAgreement?

  var choices: SchemeChoices
  /// Names of layers that keep the plan's scheme.
  private(set) var pinned: Set<String> = []
  var fusesLayers = false
  var isExact = false

  var list = List.changes
  var baseline = Baseline.plan
  /// Row under the cursor of the list that is shown.
  var cursor = 0
  /// Whether the mouse holds the budget line.
  var isDragging = false

  /// Nothing solved, and what suits a target to choose from.
  init(for target: ExportTarget? = nil) { choices = .offered(for: target) }

  /// Whether an answer is still to come.
  var isPending: Bool { target != nil && refusal == nil && proposal?.target != target }

  /// What the solver may choose from now.
  func settings(measured: Bool, target: ExportTarget?) -> AllocationSettings {
    AllocationSettings(
      candidates: measured && choices.allowsAll ? nil : choices.candidates,
      pinned: pinned.sorted(), fusesLayers: fusesLayers, target: target, isExact: isExact)
  }

  /// Takes a solver's answer on, with what the target's files would hold of it.
  mutating func accept(_ result: AllocationResult, _ forecast: ExportForecast?) {
    if let proposal, proposal.schemes != result.schemes { lastSolve = proposal.schemes }
    (proposal, self.forecast) = (result, forecast)
    refusal = nil
  }

  /// Forgets what was solved before the sensitivity that is at hand now.
  mutating func forgetSolves() {
    (proposal, lastSolve, frontier, refusal, target) = (nil, nil, nil, nil, nil)
    (forecast, appliesAnswer) = (nil, false)
  }

  /// Pins layers, or frees them if all are pinned; returns whether they are pinned now.
  mutating func togglePins(_ names: [String]) -> Bool {
    if pinned.isSuperset(of: names) {
      pinned.subtract(names)
      return false
    }
    pinned.formUnion(names)
    return true
  }

  /// Asks again for what an earlier session asked for.
  mutating func putBack(_ memory: BudgetMemory) {
    pinned = Set(memory.pinned)
    (target, fusesLayers, isExact) = (memory.target, memory.fusesLayers, memory.isExact)
    list = memory.list
  }

  mutating func show(_ list: List) {
    (self.list, cursor) = (list, 0)
  }
}

/// One layer that a proposal or another plan gives another scheme.
struct LayerChange: Hashable, Sendable {
  let layer: Int
  let from: Scheme
  let to: Scheme

  /// `Q4_K → Q5_K gptq`, or `3 → 4 bit g64 sym gptq`: words that both schemes have are said once, and the search of
  /// ranges only where nothing else differs.
  func text(arrow: String) -> String {
    let isRange = from.shortSummary == to.shortSummary
    let (from, to) =
      isRange ? (from.summary, to.summary) : (from.shortSummary, to.shortSummary)
    var old = from.split(separator: " ")
    let new = to.split(separator: " ")
    if old.first != new.first {
      old.removeAll(where: new.contains)
    } else {
      for word in new.reversed() where old.count > 1 {
        guard old.last == word else { break }
        old.removeLast()
      }
    }
    return "\(old.joined(separator: " ")) \(arrow) \(to)"
  }
}

extension OpenModel {
  /// The layers whose schemes differ between two assignments, in the model's order.
  func changes(from old: [Scheme], to new: [Scheme]) -> [LayerChange] {
    layers.indices.compactMap { index in
      old[index] == new[index]
        ? nil : LayerChange(layer: index, from: old[index], to: new[index])
    }
  }

  /// Schemes by name as one a layer; layers without a name in it have their present scheme.
  func assignment(_ byName: [String: Scheme]) -> [Scheme] {
    layers.indices.map { byName[layers[$0].name] ?? schemes[$0] }
  }

  /// One scheme a layer by the layers' names, as the engine and snapshots have them.
  func named(_ schemes: [Scheme]) -> [String: Scheme] {
    Dictionary(zip(layers.map(\.name), schemes), uniquingKeysWith: { first, _ in first })
  }

  /// Bytes of a layer under any scheme.
  func bytes(of layer: Int, under scheme: Scheme) -> Int {
    LayerSize.predicted(for: shapes[layer], scheme: scheme, original: layers[layer].bytes).total
  }

  /// `plan` with rules that give every layer its scheme: the most common one to all, then the
  /// exceptions.
  func plan(_ plan: Plan, of schemes: [Scheme]) -> Plan {
    let groups = Dictionary(grouping: layers.indices, by: { schemes[$0] })
      .sorted { ($1.value.count, $0.value[0]) < ($0.value.count, $1.value[0]) }
    var plan = plan
    plan.rules = []
    for (place, group) in groups.enumerated() {
      let layers = place == 0 ? Array(layers.indices) : group.value
      plan = plan.applying(SchemeChange(exactly: group.key), toLayers: layers, of: self)
    }
    return plan
  }
}
