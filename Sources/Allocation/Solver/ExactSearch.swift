/// The best of all plans, by dynamic programming over items with bounds.
///
/// A limited quantity (bytes, or KLD) and a cost (KLD, or bytes) are priced together with the multiplier of the linear
/// relaxation. By how much an option's price lies above its item's best is what it costs at least in the end, so that
/// all options and partial plans that cannot beat a plan known before drop out: with many items, nearly all of them
/// (Pisinger 1995, "A minimal algorithm for the multiple-choice knapsack problem").
struct ExactSearch {
  /// An option as a share of the limit and as cost.
  private struct Entry {
    let place: Int
    let weight: Double
    let cost: Double
  }

  /// A choice for the items so far.
  private struct State {
    var weight: Double
    var cost: Double
    /// What the prices of its options lie above the items' best, summed.
    var excess: Double
    let parent: Int32
    let place: Int32
  }

  private let entries: [[Entry]]
  private let capacity: Double
  private let multiplier: Double

  /// - Parameters:
  ///   - choices: what to choose from.
  ///   - goal: what limits, and thereby what is made small.
  ///   - fixedBytes: part of the limit or the cost whatever is chosen.
  ///   - fixedDivergence: likewise.
  ///   - multiplier: what a unit of the limited quantity is worth in units of the cost.
  init(
    choices: [ItemChoices], goal: AllocationGoal, fixedBytes: Int, fixedDivergence: Double,
    multiplier: Double
  ) {
    self.multiplier = multiplier
    switch goal {
    case .bytes(let budget):
      capacity = Double(budget - fixedBytes)
      entries = choices.map { choice in
        choice.points.enumerated().map {
          Entry(place: $0, weight: Double($1.bytes), cost: $1.divergence)
        }
      }
    case .divergence(let target):
      capacity = target - fixedDivergence
      entries = choices.map { choice in
        choice.points.enumerated().map {
          Entry(place: $0, weight: $1.divergence, cost: Double($1.bytes))
        }
      }
    }
  }

  /// Searches for a better plan than one that is known.
  ///
  /// - Parameters:
  ///   - places: the known plan, which keeps the limit.
  ///   - limit: most partial plans to keep at a time; where there are more, the least promising go.
  /// - Returns: the best plan found, and whether it is proven that there is none better.
  func best(beating places: [Int], states limit: Int) -> (places: [Int], isProven: Bool) {
    let known = zip(entries, places).reduce(0.0) { $0 + ($1.0.isEmpty ? 0 : $1.0[$1.1].cost) }
    let prices = entries.map { $0.map { $0.cost + multiplier * $0.weight } }
    let best = prices.map { $0.min() ?? 0 }
    // No plan costs less than this; one that is better than the known has an excess below the room between.
    let floor = best.reduce(0, +) - multiplier * capacity
    let room = known - floor - 1e-12 * abs(known)
    let viable = entries.indices.map { item in
      zip(entries[item], prices[item]).compactMap { $1 - best[item] < room ? $0 : nil }
    }
    let items = entries.indices.filter { !entries[$0].isEmpty }
    guard room > 0, items.allSatisfy({ !viable[$0].isEmpty }) else { return (places, true) }

    // The least that items from here on add to the limited quantity.
    var rest = [0.0]
    for item in items.reversed() {
      rest.append(rest[rest.count - 1] + (viable[item].map(\.weight).min() ?? 0))
    }
    rest.reverse()

    var layers = [[State(weight: 0, cost: 0, excess: 0, parent: -1, place: 0)]]
    var isProven = true
    for (depth, item) in items.enumerated() {
      let previous = layers[depth]
      var next: [State] = []
      next.reserveCapacity(previous.count * viable[item].count)
      for entry in viable[item] {
        let excess = entry.cost + multiplier * entry.weight - best[item]
        for (index, state) in previous.enumerated()
        where state.excess + excess < room
          && state.weight + entry.weight + rest[depth + 1] <= capacity
        {
          next.append(
            State(
              weight: state.weight + entry.weight, cost: state.cost + entry.cost,
              excess: state.excess + excess, parent: Int32(index), place: Int32(entry.place)))
        }
      }
      next = Self.efficient(next)
      if next.count > limit {
        next = Array(next.sorted { $0.excess < $1.excess }[..<limit])
        isProven = false
      }
      guard !next.isEmpty else { return (places, isProven) }
      layers.append(next)
    }
    return (trace(layers, items: items, from: places, beating: known), isProven)
  }

  /// States that no other beats in both weight and cost.
  private static func efficient(_ states: [State]) -> [State] {
    var kept: [State] = []
    for state in states.sorted(by: { ($0.weight, $0.cost) < ($1.weight, $1.cost) })
    where state.cost < kept.last?.cost ?? .infinity {
      kept.append(state)
    }
    return kept
  }

  /// Follows the cheapest finished plan back to its choices, if it is better than the known one.
  private func trace(
    _ layers: [[State]], items: [Int], from places: [Int], beating known: Double
  ) -> [Int] {
    guard let last = layers.last,
      var index = last.indices.min(by: { last[$0].cost < last[$1].cost }),
      last[index].cost < known
    else { return places }
    var found = places
    for (layer, item) in zip(layers.dropFirst(), items).reversed() {
      found[item] = Int(layer[index].place)
      index = Int(layer[index].parent)
    }
    return found
  }
}
