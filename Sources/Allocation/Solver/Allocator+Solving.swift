extension Allocator {
  /// Below so many items one step more or less is a large share of all, and plans are searched for exactly.
  static let fewItems = 64
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

/// An assignment that is being worked on.
private struct Draft {
  /// The place of each item's option among the points of its choices; 0 for items without options.
  var places: [Int]
  var bytes: Int
  var divergence: Double
}

/// An item's way back to the option that it had.
private struct Return {
  let item: Int
  let place: Int
  /// What is added by it.
  let bytes: Int
  let divergence: Double
}

/// What the linear relaxation says of a goal.
private struct Relaxation {
  /// No plan has less KLD, or fewer bytes if those are made small.
  let least: Double
  /// What a unit of the goal's limit is worth: nats a byte, or bytes a nat.
  let multiplier: Double
}

extension Allocator {
  private func makeDraft(_ places: [Int]) -> Draft {
    var draft = Draft(places: places, bytes: fixedBytes, divergence: fixedDivergence)
    for (choice, place) in zip(choices, places) where !choice.points.isEmpty {
      draft.bytes += choice.points[place].bytes
      draft.divergence += choice.points[place].divergence
    }
    return draft
  }

  /// Places on the hulls after the first increments.
  private func levels(after count: Int) -> [Int] {
    var levels = Array(repeating: 0, count: items.count)
    for increment in increments[..<count] { levels[increment.item] += 1 }
    return levels
  }

  private func places(ofLevels levels: [Int]) -> [Int] {
    zip(choices, levels).map { $0.hull.isEmpty ? 0 : $0.hull[$1] }
  }

  private func move(_ draft: inout Draft, item: Int, to place: Int) {
    let points = choices[item].points
    draft.bytes += points[place].bytes - points[draft.places[item]].bytes
    draft.divergence += points[place].divergence - points[draft.places[item]].divergence
    draft.places[item] = place
  }

  // MARK: Least KLD in so many bytes

  private func filled(to budget: Int) -> Draft {
    let taken = bytesAfter.partitioningIndex { $0 > budget } - 1
    var levels = levels(after: taken)
    var left = budget - bytesAfter[taken]
    for increment in increments[taken...]
    where levels[increment.item] == increment.step && increment.bytes <= left {
      levels[increment.item] += 1
      left -= increment.bytes
    }
    var draft = makeDraft(places(ofLevels: levels))
    // Points above the hull fit where no step along it does.
    let gains = items.indices.compactMap { item -> (item: Int, gain: Double)? in
      guard let place = bestFitting(item, in: draft, budget: budget) else { return nil }
      let points = choices[item].points
      return (item, points[draft.places[item]].divergence - points[place].divergence)
    }
    for (item, _) in gains.sorted(by: { $0.gain > $1.gain }) {
      if let place = bestFitting(item, in: draft, budget: budget) {
        move(&draft, item: item, to: place)
      }
    }
    return draft
  }

  /// The largest of an item's options that still fits; nil if it has that already.
  private func bestFitting(_ item: Int, in draft: Draft, budget: Int) -> Int? {
    let points = choices[item].points
    let place = draft.places[item]
    guard place + 1 < points.count else { return nil }
    let limit = points[place].bytes + budget - draft.bytes
    let best = points[(place + 1)...].partitioningIndex { $0.bytes > limit } - 1
    return best > place ? best : nil
  }

  private func relaxed(bytes budget: Int) -> Relaxation {
    let taken = bytesAfter.partitioningIndex { $0 > budget } - 1
    guard taken < increments.count else {
      return Relaxation(least: leastDivergence, multiplier: 0)
    }
    let slope = increments[taken].slope
    let least = divergenceAfter[taken] - slope * Double(budget - bytesAfter[taken])
    return Relaxation(least: max(least, 0), multiplier: slope)
  }

  // MARK: Fewest bytes at a KLD

  private func trimmed(to target: Double) -> Draft {
    let taken = divergenceAfter.partitioningIndex { $0 <= target }
    var levels = levels(after: min(taken, increments.count))
    var draft = makeDraft(places(ofLevels: levels))
    // The last step may save more than is asked for: give back what is not needed, the least useful bytes first.
    for increment in increments[..<min(taken, increments.count)].reversed()
    where levels[increment.item] == increment.step + 1
      && draft.divergence + increment.gain <= target
    {
      levels[increment.item] -= 1
      move(&draft, item: increment.item, to: choices[increment.item].hull[increment.step])
    }
    let savings = items.indices.compactMap { item -> (item: Int, bytes: Int)? in
      guard let place = smallestSufficient(item, in: draft, target: target) else { return nil }
      let points = choices[item].points
      return (item, points[draft.places[item]].bytes - points[place].bytes)
    }
    for (item, _) in savings.sorted(by: { $0.bytes > $1.bytes }) {
      if let place = smallestSufficient(item, in: draft, target: target) {
        move(&draft, item: item, to: place)
      }
    }
    return draft
  }

  /// The smallest of an item's options that still reaches the target; nil if it has that already.
  private func smallestSufficient(_ item: Int, in draft: Draft, target: Double) -> Int? {
    let points = choices[item].points
    let place = draft.places[item]
    guard place > 0 else { return nil }
    let limit = points[place].divergence + target - draft.divergence
    let best = points[..<place].partitioningIndex { $0.divergence <= limit }
    return best < place ? best : nil
  }

  private func relaxed(divergence target: Double) -> Relaxation {
    let taken = divergenceAfter.partitioningIndex { $0 <= target }
    guard taken > 0, taken <= increments.count else {
      return Relaxation(least: Double(taken == 0 ? smallestBytes : largestBytes), multiplier: 0)
    }
    let slope = increments[taken - 1].slope
    let least = Double(bytesAfter[taken - 1]) + (divergenceAfter[taken - 1] - target) / slope
    return Relaxation(least: least, multiplier: 1 / slope)
  }

  // MARK: Finishing

  /// Takes changes back that are hardly worth it, one by one and in pairs of a larger and a smaller option.
  private func settle(_ draft: inout Draft, near current: [Int?], goal: AllocationGoal) {
    let limit: (bytes: Int, divergence: Double) =
      switch goal {
      case .bytes(let budget): (budget, draft.divergence * (1 + Self.settling))
      case .divergence(let target): (Int(Double(draft.bytes) * (1 + Self.settling)), target)
      }
    var returns = zip(items.indices, current).compactMap { item, option -> Return? in
      let points = choices[item].points
      guard let place = points.firstIndex(where: { $0.option == option }),
        place != draft.places[item]
      else { return nil }
      let now = points[draft.places[item]]
      return Return(
        item: item, place: place, bytes: points[place].bytes - now.bytes,
        divergence: points[place].divergence - now.divergence)
    }
    func isAllowed(_ parts: Return...) -> Bool {
      parts.reduce(draft.bytes) { $0 + $1.bytes } <= limit.bytes
        && parts.reduce(draft.divergence) { $0 + $1.divergence } <= limit.divergence
    }
    returns.sort { abs($0.divergence) < abs($1.divergence) }
    for (index, first) in returns.enumerated() where draft.places[first.item] != first.place {
      if isAllowed(first) {
        move(&draft, item: first.item, to: first.place)
        continue
      }
      let partner = returns[(index + 1)...].prefix(Self.partners).first {
        draft.places[$0.item] != $0.place && isAllowed(first, $0)
      }
      guard let partner else { continue }
      move(&draft, item: first.item, to: first.place)
      move(&draft, item: partner.item, to: partner.place)
    }
  }

  /// What the goal makes small.
  private func figure(of draft: Draft, _ goal: AllocationGoal) -> Double {
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
