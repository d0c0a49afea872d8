import Compression
import Testing

@testable import Allocation

@Suite struct AllocatorTests {
  let problem = RandomProblem(items: 210, options: 8, seed: 7)

  /// Budgets from the smallest to the largest plan.
  func budgets(_ allocator: Allocator, count: Int) -> [Int] {
    let range = allocator.largestBytes - allocator.smallestBytes
    return (0...count).map { allocator.smallestBytes + range * $0 / count }
  }

  @Test func moreBytesNeverCostMore() throws {
    let allocator = try Allocator(items: problem.items, fixedBytes: problem.fixedBytes)
    var last = Double.infinity
    for budget in budgets(allocator, count: 50) {
      let found = try allocator.solve(for: .bytes(budget))
      #expect(found.bytes <= budget)
      #expect(found.divergence < last)
      #expect(found.gap < 0.01)
      last = found.divergence
    }
    #expect(abs(last - allocator.leastDivergence) < 1e-12)
  }

  @Test func lessDivergenceNeverTakesLess() throws {
    let allocator = try Allocator(items: problem.items, fixedBytes: problem.fixedBytes)
    var last = 0
    for target in allocator.frontier(limit: 40).map(\.divergence) {
      let goal = max(target, allocator.leastDivergence)
      let found = try allocator.solve(for: .divergence(goal))
      #expect(found.divergence <= goal * (1 + 1e-9))
      #expect(found.bytes >= last)
      #expect(found.gap < 0.01)
      last = found.bytes
    }
  }

  /// An independent solution: dense dynamic programming over bytes, of which all options are whole kilobytes.
  @Test func exactSearchAgreesWithDenseDynamicProgramming() throws {
    var items = Array(problem.items.prefix(60))
    for item in items.indices {
      for option in items[item].options.indices {
        items[item].options[option].bytes = items[item].options[option].bytes / 1024 * 1024
      }
    }
    let allocator = try Allocator(items: items)
    for budget in budgets(allocator, count: 4).dropFirst() {
      let units = budget / 1024
      var best = Array(repeating: 0.0, count: units + 1)
      for item in items {
        var next = Array(repeating: Double.infinity, count: units + 1)
        for option in item.options {
          let size = option.bytes / 1024
          for unit in 0...units where unit >= size {
            next[unit] = min(next[unit], best[unit - size] + option.divergence)
          }
        }
        best = next
      }
      let found = try allocator.solve(for: .bytes(budget), isExact: true)
      #expect(found.gap == 0)
      #expect(abs(found.divergence - best[units]) < 1e-9 * best[units])
    }
  }

  /// A layer of a quarter of all bytes, such as an embedding, does not spoil plans for budgets between its options.
  @Test func aHeavyItemIsTriedAtAllItsOptions() throws {
    var items = problem.items
    let all = items.reduce(0) { $0 + ($1.options.map(\.bytes).max() ?? 0) }
    items.append(
      PlanItem(
        layers: ["embedding"],
        options: [
          PlanOption(scheme: RandomProblem.scheme(0), bytes: all / 5, divergence: 12),
          PlanOption(scheme: RandomProblem.scheme(1), bytes: all / 3, divergence: 2),
        ]))
    let allocator = try Allocator(items: items)
    for budget in budgets(allocator, count: 30) {
      let quick = try allocator.solve(for: .bytes(budget))
      let exact = try allocator.solve(for: .bytes(budget), isExact: true)
      #expect(quick.bytes <= budget)
      #expect(quick.divergence <= exact.divergence * 1.002)
      let goal = AllocationGoal.divergence(exact.divergence * (1 + 1e-9))
      let fewest = try allocator.solve(for: goal)
      #expect(Double(fewest.bytes) <= Double(exact.bytes) * 1.002)
    }
  }

  @Test func theFrontierIsConvexAndFalls() throws {
    let allocator = try Allocator(items: problem.items, fixedBytes: problem.fixedBytes)
    let points = allocator.frontier(limit: .max)
    #expect(points.first?.bytes == allocator.smallestBytes)
    #expect(points.last?.bytes == allocator.largestBytes)
    var slope = Double.infinity
    for (from, to) in zip(points, points.dropFirst()) {
      let next = (from.divergence - to.divergence) / Double(to.bytes - from.bytes)
      #expect(next > 0 && next <= slope * (1 + 1e-6))
      slope = next
    }
    #expect(allocator.frontier(limit: 16).count == 16)
  }

  @Test func pinsAndEmptyItemsStay() throws {
    var items = problem.items
    items[3].options = [items[3].options[2]]
    items[5].options = []
    let allocator = try Allocator(items: items)
    for budget in budgets(allocator, count: 9) {
      let found = try allocator.solve(for: .bytes(budget))
      #expect(found.choices[3] == 0)
      #expect(found.choices[5] == nil)
      let schemes = allocator.schemes(of: found)
      #expect(schemes["layer 3"] == items[3].options[0].scheme)
      #expect(schemes["layer 5"] == nil)
      let totals = try #require(allocator.totals(of: schemes))
      #expect(totals.bytes == found.bytes)
      #expect(abs(totals.divergence - found.divergence) < 1e-12)
    }
  }

  @Test func layersOfAnItemAgree() throws {
    let options = [
      PlanOption(scheme: RandomProblem.scheme(0), bytes: 100, divergence: 1),
      PlanOption(scheme: RandomProblem.scheme(1), bytes: 200, divergence: 0.1),
    ]
    let allocator = try Allocator(items: [PlanItem(layers: ["q", "k", "v"], options: options)])
    let schemes = allocator.schemes(of: try allocator.solve(for: .bytes(250)))
    #expect(Set(schemes.keys) == ["q", "k", "v"])
    #expect(Set(schemes.values) == [RandomProblem.scheme(1)])
    var mixed = schemes
    mixed["k"] = RandomProblem.scheme(0)
    #expect(allocator.totals(of: mixed) == nil)
  }

  @Test func dominatedOptionsAreNeverChosen() throws {
    let options = [
      PlanOption(scheme: RandomProblem.scheme(0), bytes: 100, divergence: 1),
      PlanOption(scheme: RandomProblem.scheme(1), bytes: 150, divergence: 2),
      PlanOption(scheme: RandomProblem.scheme(2), bytes: 200, divergence: 0.5),
    ]
    let allocator = try Allocator(items: [PlanItem(layers: ["a"], options: options)])
    #expect(try allocator.solve(for: .bytes(199)).choices == [0])
    #expect(try allocator.solve(for: .bytes(200)).choices == [2])
  }

  /// Of two layers that are as good as equal, the one that has more bytes now keeps them.
  @Test func aPlanDoesNotFlicker() throws {
    func item(_ name: String, saving: Double) -> PlanItem {
      PlanItem(
        layers: [name],
        options: [
          PlanOption(scheme: RandomProblem.scheme(0), bytes: 100, divergence: 1),
          PlanOption(scheme: RandomProblem.scheme(1), bytes: 200, divergence: 1 - saving),
        ])
    }
    let near = try Allocator(items: [item("a", saving: 0.5), item("b", saving: 0.50001)])
    #expect(try near.solve(for: .bytes(310)).choices == [0, 1])
    #expect(try near.solve(for: .bytes(310), near: [1, 0]).choices == [1, 0])
    #expect(try near.solve(for: .divergence(1.5), near: [1, 0]).choices == [1, 0])
    let far = try Allocator(items: [item("a", saving: 0.5), item("b", saving: 0.6)])
    #expect(try far.solve(for: .bytes(310), near: [1, 0]).choices == [0, 1])
    // What no longer fits is given up.
    #expect(try near.solve(for: .bytes(250), near: [1, 0]).choices == [0, 0])

    let allocator = try Allocator(items: problem.items)
    let budget = (allocator.smallestBytes + allocator.largestBytes) / 2
    let found = try allocator.solve(for: .bytes(budget))
    #expect(try allocator.solve(for: .bytes(budget), near: found.choices) == found)
  }

  @Test func errorsSayHowFarPlansGo() throws {
    let allocator = try Allocator(items: problem.items, fixedBytes: 50)
    let smallest = allocator.smallestBytes
    #expect(throws: AllocationError.budgetTooSmall(bytes: 10, smallest: smallest)) {
      try allocator.solve(for: .bytes(10))
    }
    let error = AllocationError.budgetTooSmall(bytes: 10, smallest: smallest)
    #expect(error.description.contains("takes \(smallest)"))
    #expect(throws: AllocationError.self) { try allocator.solve(for: .divergence(0)) }
    #expect(throws: AllocationError.repeatedLayer("layer 0")) {
      try Allocator(items: [problem.items[0], problem.items[0]])
    }
    var broken = problem.items
    broken[0].options[0].divergence = .nan
    #expect(throws: AllocationError.self) { try Allocator(items: broken) }
  }

  @Test func withoutItemsThereIsOnePlan() throws {
    let allocator = try Allocator(items: [], fixedBytes: 12)
    let found = try allocator.solve(for: .bytes(12))
    #expect(found.bytes == 12 && found.gap == 0)
    #expect(try allocator.solve(for: .divergence(0)).bytes == 12)
    #expect(allocator.frontier().count == 1)
  }
}
