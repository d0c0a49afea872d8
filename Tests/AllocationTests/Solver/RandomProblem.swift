import Compression
import TestSupport

@testable import Allocation

/// A seeded allocation problem, small or of a real model's size.
struct RandomProblem {
  var items: [PlanItem] = []
  let fixedBytes = 1_000

  /// Items whose options cost about a factor of four less KLD a bit, as quantization does.
  init(items count: Int, options: Int, seed: UInt64) {
    var random = SeededRandom(seed: seed)
    for item in 0..<count {
      let weights = Int.random(in: 20...400, using: &random) * 32
      let sensitivity = Double.random(in: 0.01...1, using: &random)
      let choices = (0..<options).map { option in
        let bits = 2 + 6 * Double(option) / Double(max(options - 1, 1))
        let luck = Double.random(in: 0.6...1.6, using: &random)
        return PlanOption(
          scheme: Self.scheme(option),
          bytes: Int(Double(weights) * bits / 8 * Double.random(in: 0.9...1.1, using: &random)),
          divergence: sensitivity * luck * 1 / (1 + 3 * (bits - 2) * (bits - 2)))
      }
      items.append(PlanItem(layers: ["layer \(item)"], options: choices.shuffled(using: &random)))
    }
  }

  /// Schemes that differ, one a number.
  static func scheme(_ number: Int) -> Scheme {
    let group = GroupSize.sizes[number / 7 % GroupSize.sizes.count]
    return Scheme(quantization: QuantizationScheme(bits: 2 + number % 7, group: .size(group)))
  }

  /// Every plan there is, as bytes and KLD.
  var allPlans: [(bytes: Int, divergence: Double)] {
    var plans = [(bytes: fixedBytes, divergence: 0.0)]
    for item in items {
      plans = plans.flatMap { plan in
        item.options.map { (plan.bytes + $0.bytes, plan.divergence + $0.divergence) }
      }
    }
    return plans
  }
}
