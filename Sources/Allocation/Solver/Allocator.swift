import Compression

/// Chooses an option for each of many items: the multiple-choice knapsack problem.
///
/// Each item's options are reduced to the lower convex hull of bytes and KLD. Steps along the hulls of all items,
/// sorted by the KLD that a byte saves, are the best plans of the linear relaxation one after the other; with their
/// prefix sums a plan for any goal is one binary search away (Sinha and Zoltners 1979, Pisinger 1995). Built once,
/// solved many times: while a person drags the budget, for example.
public struct Allocator: Sendable {
  /// One step of one item along its hull.
  struct Increment: Sendable {
    let item: Int
    /// Place on the item's hull that the step starts from.
    let step: Int
    let bytes: Int
    let gain: Double
    /// Nats saved by each byte.
    let slope: Double
  }

  public let items: [PlanItem]
  let choices: [ItemChoices]
  /// Bytes and KLD of what no choice changes.
  let fixedBytes: Int
  let fixedDivergence: Double
  /// The steepest first.
  let increments: [Increment]
  /// Bytes and KLD of all items after so many increments, what is fixed included.
  let bytesAfter: [Int]
  let divergenceAfter: [Double]

  /// Prepares to allocate.
  ///
  /// - Parameters:
  ///   - items: what to choose for. An item of one option is pinned; one without options is left alone.
  ///   - fixedBytes: bytes of what no item with options holds: norms, and layers that stay as they are.
  ///   - fixedDivergence: KLD that is there whatever is chosen, in nats a token.
  /// - Throws: ``AllocationError`` for options that are no numbers and for layers in two items.
  /// - Complexity: O(options log options).
  public init(
    items: [PlanItem], fixedBytes: Int = 0, fixedDivergence: Double = 0
  ) throws(AllocationError) {
    try Self.check(items)
    self.items = items
    self.fixedBytes = fixedBytes
    self.fixedDivergence = fixedDivergence
    let choices = items.map { ItemChoices($0.options) }
    self.choices = choices
    var increments: [Increment] = []
    for (item, choice) in choices.enumerated() {
      for (step, ends) in zip(choice.hull, choice.hull.dropFirst()).enumerated() {
        let (from, to) = (choice.points[ends.0], choice.points[ends.1])
        increments.append(
          Increment(
            item: item, step: step, bytes: to.bytes - from.bytes,
            gain: from.divergence - to.divergence, slope: ItemChoices.slope(from: from, to: to)))
      }
    }
    // Equal slopes keep an order of their own, so that equal problems have equal solutions.
    increments.sort { $0.slope != $1.slope ? $0.slope > $1.slope : $0.item < $1.item }
    self.increments = increments

    var bytes = choices.reduce(fixedBytes) { $0 + ($1.points.first?.bytes ?? 0) }
    var divergence = choices.reduce(fixedDivergence) { $0 + ($1.points.first?.divergence ?? 0) }
    var bytesAfter = [bytes]
    var divergenceAfter = [divergence]
    bytesAfter.reserveCapacity(increments.count + 1)
    divergenceAfter.reserveCapacity(increments.count + 1)
    for increment in increments {
      bytes += increment.bytes
      divergence -= increment.gain
      bytesAfter.append(bytes)
      divergenceAfter.append(max(divergence, 0))
    }
    self.bytesAfter = bytesAfter
    self.divergenceAfter = divergenceAfter
  }

  /// Bytes of the smallest plan.
  public var smallestBytes: Int { bytesAfter[0] }

  /// Bytes of the plan with the least KLD.
  public var largestBytes: Int { bytesAfter[increments.count] }

  /// The KLD of the plan with the least, in nats a token.
  public var leastDivergence: Double {
    choices.reduce(fixedDivergence) { $0 + ($1.points.last?.divergence ?? 0) }
  }

  /// Plans along the convex frontier as bytes and KLD, the smallest plan first.
  ///
  /// - Parameter limit: Most points; 2 or more.
  /// - Returns: As many points, or all that there are; spread evenly over the steps.
  public func frontier(limit: Int = 512) -> [(bytes: Int, divergence: Double)] {
    let last = increments.count
    let count = max(min(limit, last + 1), min(2, last + 1))
    return (0..<count).map { place in
      let index = count > 1 ? place * last / (count - 1) : 0
      return (bytesAfter[index], divergenceAfter[index])
    }
  }

  /// Bytes and KLD of a plan.
  ///
  /// - Parameter schemes: The scheme of every layer that an item with options holds, by name.
  /// - Returns: The sums, what is fixed included; nil if some layer's scheme is none of its options, or differs within an item.
  public func totals(of schemes: [String: Scheme]) -> (bytes: Int, divergence: Double)? {
    var totals = (bytes: fixedBytes, divergence: fixedDivergence)
    for (item, choice) in zip(items, choices(of: schemes)) where !item.options.isEmpty {
      guard let choice else { return nil }
      totals.bytes += item.options[choice].bytes
      totals.divergence += item.options[choice].divergence
    }
    return totals
  }

  /// The option of each item that a plan has, for ``solve(for:near:isExact:)`` to stay near.
  ///
  /// - Parameter schemes: The scheme of every layer, by name.
  /// - Returns: nil for items whose layers have none of the options.
  public func choices(of schemes: [String: Scheme]) -> [Int?] {
    items.map { item in
      let wanted = Set(item.layers.map { schemes[$0] })
      return wanted.count == 1
        ? item.options.firstIndex { wanted.contains($0.scheme) } : nil
    }
  }

  /// The scheme of every layer whose item has options, by name.
  public func schemes(of allocation: Allocation) -> [String: Scheme] {
    var schemes: [String: Scheme] = [:]
    for (item, choice) in zip(items, allocation.choices) {
      guard let choice else { continue }
      for layer in item.layers { schemes[layer] = item.options[choice].scheme }
    }
    return schemes
  }

  private static func check(_ items: [PlanItem]) throws(AllocationError) {
    var layers: Set<String> = []
    for item in items {
      for layer in item.layers where !layers.insert(layer).inserted {
        throw .repeatedLayer(layer)
      }
      for option in item.options
      where option.bytes < 0 || !option.divergence.isFinite || option.divergence < 0 {
        throw .badOption(
          layer: item.layers.joined(separator: ", "), scheme: option.scheme.summary)
      }
    }
  }
}
