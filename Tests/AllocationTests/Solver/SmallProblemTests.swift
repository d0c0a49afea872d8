import Compression
import Testing

@testable import Allocation

/// Problems so small that all plans can be looked at.
@Suite struct SmallProblemTests {
  @Test(arguments: 1...40)
  func exactSearchFindsTheBestOfAllPlans(seed: Int) throws {
    let problem = RandomProblem(
      items: 2 + seed % 5, options: 2 + seed % 3, seed: UInt64(seed))
    let allocator = try Allocator(items: problem.items, fixedBytes: problem.fixedBytes)
    let plans = problem.allPlans
    for share in [0.0, 0.1, 0.35, 0.5, 0.77, 1.0] {
      let budget =
        allocator.smallestBytes
        + Int(share * Double(allocator.largestBytes - allocator.smallestBytes))
      let least = try #require(plans.filter { $0.bytes <= budget }.map(\.divergence).min())
      let found = try allocator.solve(for: .bytes(budget), isExact: true)
      #expect(found.bytes <= budget)
      #expect(abs(found.divergence - least) <= 1e-9 * least)
      #expect(found.gap == 0)
    }
  }

  @Test(arguments: 1...40)
  func exactSearchFindsTheSmallestOfAllPlans(seed: Int) throws {
    let problem = RandomProblem(
      items: 2 + seed % 5, options: 2 + seed % 3, seed: UInt64(seed))
    let allocator = try Allocator(items: problem.items, fixedBytes: problem.fixedBytes)
    let plans = problem.allPlans
    let worst = plans.map(\.divergence).max() ?? 0
    for share in [0.0, 0.03, 0.2, 0.6, 1.0] {
      let target =
        allocator.leastDivergence + 1e-9 + share * (worst - allocator.leastDivergence)
      let fewest = try #require(plans.filter { $0.divergence <= target }.map(\.bytes).min())
      let found = try allocator.solve(for: .divergence(target), isExact: true)
      #expect(found.divergence <= target * (1 + 1e-12))
      #expect(found.bytes == fewest)
    }
  }

  /// The gap may be larger than the truth, never smaller.
  @Test(arguments: 1...40)
  func gapIsHonest(seed: Int) throws {
    let problem = RandomProblem(items: 6, options: 4, seed: UInt64(seed))
    // Enough one-option items that the quick way is taken.
    let single = PlanOption(scheme: .keep, bytes: 0, divergence: 0)
    let rest = (0..<Allocator.fewItems).map { PlanItem(layers: ["\($0)"], options: [single]) }
    let allocator = try Allocator(items: problem.items + rest, fixedBytes: problem.fixedBytes)
    let plans = problem.allPlans
    for share in [0.2, 0.5, 0.8] {
      let budget =
        allocator.smallestBytes
        + Int(share * Double(allocator.largestBytes - allocator.smallestBytes))
      let least = try #require(plans.filter { $0.bytes <= budget }.map(\.divergence).min())
      let found = try allocator.solve(for: .bytes(budget))
      #expect(found.bytes <= budget)
      #expect(found.divergence <= least * (1 + found.gap) * (1 + 1e-9))

      let target = found.divergence
      let fewest = try #require(plans.filter { $0.divergence <= target }.map(\.bytes).min())
      let smallest = try allocator.solve(for: .divergence(target))
      #expect(smallest.divergence <= target * (1 + 1e-9))
      #expect(Double(smallest.bytes) <= Double(fewest) * (1 + smallest.gap) + 0.5)
    }
  }
}
