extension Allocator {
  /// Below so many items one step more or less is a large share of all, and plans are searched for exactly.
  static let fewItems = 64
  /// A gap that some item must be to blame for which is large against all others, such as an embedding.
  static let largeGap = 0.01
  /// Items that are tried at each of their options then.
  static let heavyItems = 2
  /// Partial plans that are kept at a time: while dragging, and when it may take a second.
  static let quickStates = 2_000
  static let exactStates = 200_000
  /// By this share the KLD may be above the best that was found for the sake of fewer changes.
  static let settling = 1e-4
  /// Changes that are tried together with each change, when the plan stays near another one.
  static let partners = 32

  /// The plan that reaches a goal best.
  ///
  /// - Parameters:
  ///   - goal: What to reach.
  ///   - current: The option of each item that the plan has now: of plans that are as good but for 0.01 % the one
  ///     with fewer changes is chosen, so that a plan does not flicker while the goal is dragged. Options that are
  ///     dominated are not kept.
  ///   - isExact: Whether to search for the best of all plans, for up to a second or so.
  /// - Returns: One option an item, with the gap to what is possible at best.
  /// - Throws: ``AllocationError`` when no plan reaches the goal; it says how far plans go.
  /// - Complexity: O(options) unless exact.
  public func solve(
    for goal: AllocationGoal, near current: [Int?]? = nil, isExact: Bool = false
  ) throws(AllocationError) -> Allocation {
    var draft: Draft
    let relaxation: Relaxation
    switch goal {
    case .bytes(let budget):
      guard budget >= smallestBytes else {
        throw .budgetTooSmall(bytes: budget, smallest: smallestBytes)
      }
      draft = filled(to: budget)
      relaxation = relaxed(bytes: budget)
    case .divergence(let target):
      guard target >= leastDivergence else {
        throw .divergenceTooSmall(divergence: target, least: leastDivergence)
      }
      draft = trimmed(to: target)
      relaxation = relaxed(divergence: target)
    }
    var bound = relaxation.least
    if figure(of: draft, goal) > bound * (1 + Self.largeGap) {
      draft = holdingHeavyItems(draft, goal: goal)
    }
    if isExact || items.count <= Self.fewItems {
      let search = ExactSearch(
        choices: choices, goal: goal, fixedBytes: fixedBytes, fixedDivergence: fixedDivergence,
        multiplier: relaxation.multiplier)
      let found = search.best(
        beating: draft.places, states: isExact ? Self.exactStates : Self.quickStates)
      draft = makeDraft(found.places)
      if found.isProven { bound = figure(of: draft, goal) }
    }
    if let current { settle(&draft, near: current, goal: goal) }
    return allocation(draft, goal: goal, bound: bound)
  }
}

extension Allocator {
  func makeDraft(_ places: [Int]) -> Draft {
    var draft = Draft(places: places, bytes: fixedBytes, divergence: fixedDivergence)
    for (choice, place) in zip(choices, places) where !choice.points.isEmpty {
      draft.bytes += choice.points[place].bytes
      draft.divergence += choice.points[place].divergence
    }
    return draft
  }

  /// Places on the hulls after the first increments.
  func levels(after count: Int) -> [Int] {
    var levels = Array(repeating: 0, count: items.count)
    for increment in increments[..<count] { levels[increment.item] += 1 }
    return levels
  }

  func places(ofLevels levels: [Int]) -> [Int] {
    zip(choices, levels).map { $0.hull.isEmpty ? 0 : $0.hull[$1] }
  }

  func move(_ draft: inout Draft, item: Int, to place: Int) {
    let points = choices[item].points
    draft.bytes += points[place].bytes - points[draft.places[item]].bytes
    draft.divergence += points[place].divergence - points[draft.places[item]].divergence
    draft.places[item] = place
  }

  /// The best of a draft and of what comes of holding the largest items at each of their options.
  ///
  /// The relaxation may take part of an item; where that is a large part of all bytes, its next option may be worth giving
  /// up others for.
  private func holdingHeavyItems(_ draft: Draft, goal: AllocationGoal) -> Draft {
    func span(_ item: Int) -> Int {
      let points = choices[item].points
      return (points.last?.bytes ?? 0) - (points.first?.bytes ?? 0)
    }
    var best = draft
    for item in items.indices.sorted(by: { span($0) > span($1) }).prefix(Self.heavyItems) {
      for level in choices[item].hull.indices {
        let held = HeldItem(item: item, level: level)
        let other: Draft? =
          switch goal {
          case .bytes(let budget): filled(to: budget, holding: held)
          case .divergence(let target): trimmed(to: target, holding: held)
          }
        if let other, figure(of: other, goal) < figure(of: best, goal) { best = other }
      }
    }
    return best
  }

  /// What the goal makes small.
  func figure(of draft: Draft, _ goal: AllocationGoal) -> Double {
    switch goal {
    case .bytes: draft.divergence
    case .divergence: Double(draft.bytes)
    }
  }

  private func allocation(
    _ draft: Draft, goal: AllocationGoal, bound: Double
  ) -> Allocation {
    // Summed anew: moves to and fro leave rounding errors.
    let sums = makeDraft(draft.places)
    let gap = bound > 0 ? max(figure(of: sums, goal) / bound - 1, 0) : 0
    let chosen = zip(choices, draft.places).map { $0.points.isEmpty ? nil : $0.points[$1].option }
    return Allocation(
      choices: chosen, bytes: sums.bytes, divergence: sums.divergence, gap: gap)
  }
}
