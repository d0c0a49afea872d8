import Allocation
import Checkpoints
import Compression
import Foundation
import Testing

/// What sensitivity learns from plans that were measured.
@Suite struct SensitivityMeasurementTests {
  private var sensitivity = SensitivitySample().sensitivity
  private let coarse = SensitivitySample.schemes[0]

  private func plan(_ layers: [LayerCosts], _ scheme: Scheme? = nil) -> [String: Scheme] {
    Dictionary(uniqueKeysWithValues: layers.map { ($0.layer, scheme ?? coarse) })
  }

  private func measured(
    _ schemes: [String: Scheme], _ divergence: Double, on text: String = "a"
  ) -> MeasuredPlan {
    MeasuredPlan(
      schemes: schemes, divergence: divergence, standardError: 0, text: text, tokens: 512)
  }

  private func cost(_ layer: LayerCosts, _ scheme: Scheme? = nil) throws -> Double {
    layer.expected(try #require(layer.trial(of: scheme ?? coarse))).divergence
  }

  @Test mutating func aMeasuredLayerIsPredictedAsItWasFound() throws {
    let layer = sensitivity.layers[3]
    let before = try cost(layer)
    let isKept = sensitivity.record(measured(plan([layer]), 3 * before))
    #expect(isKept)
    // The same factor holds for schemes that were not measured, and less so for other layers of the role.
    let fine = SensitivitySample.schemes[2]
    let factor =
      try #require(sensitivity.prediction(for: [layer.layer: fine])?.mean) / cost(layer, fine)
    #expect(factor > 2 && factor < 3)
    let other = try #require(
      sensitivity.layers.first { $0.role == layer.role && $0.layer != layer.layer })
    let shared = try #require(sensitivity.prediction(for: plan([other]))?.mean) / cost(other)
    #expect(shared > 1.2 && shared < factor)
    let agreement = try #require(sensitivity.agreement)
    #expect(abs(try #require(agreement.layers).ratio - 1.0 / 3) < 1e-12)
    #expect(agreement.roles.map(\.role) == [layer.role.rawValue])
    #expect(agreement.plans == nil)
  }

  /// Whole plans are predicted through the factors of layers: what these explain is not counted twice.
  @Test mutating func plansTeachHowLayersAddUp() throws {
    for layer in sensitivity.layers {
      sensitivity.record(measured(plan([layer]), 2 * (try cost(layer))))
    }
    let all = plan(sensitivity.layers)
    let sum = try sensitivity.layers.reduce(0) { $0 + (try cost($1)) }
    let before = try #require(sensitivity.prediction(for: all)?.mean)
    #expect(abs(before / (2 * sum) - 1) < 0.1)
    sensitivity.record(measured(all, before))
    #expect(abs(try #require(sensitivity.prediction(for: all)).mean / before - 1) < 1e-9)
    #expect(sensitivity.predictor.plans == 1)
    #expect(abs(try #require(sensitivity.agreement?.plans).ratio - 1) < 1e-9)
  }

  /// The same plan on the same text is one measurement, the later one; on another text it is a second.
  @Test mutating func aPlanThatIsMeasuredAgainIsCountedOnce() throws {
    let schemes = plan([sensitivity.layers[0]])
    sensitivity.record(measured(schemes, 0.1))
    sensitivity.record(measured(schemes.merging(["another": .keep]) { $1 }, 0.2))
    #expect(sensitivity.measurements.map(\.divergence) == [0.2])
    sensitivity.record(measured(schemes, 0.4, on: "b"))
    #expect(sensitivity.measurements.map(\.divergence) == [0.2, 0.4])
  }

  @Test mutating func whatWasNeverTriedTeachesNothing() {
    let untried = Scheme(quantization: QuantizationScheme(bits: 7, group: .size(32)))
    let isKept = sensitivity.record(measured(plan([sensitivity.layers[0]], untried), 1))
    #expect(!isKept)
    let isEmptyKept = sensitivity.record(measured([:], 0))
    #expect(!isEmptyKept)
    let isNothingKept = sensitivity.record(measured(plan([sensitivity.layers[0]]), .nan))
    #expect(!isNothingKept)
    #expect(sensitivity.agreement == nil)
  }

  /// The most costly layer of every role comes before the second of any.
  @Test mutating func layersAreMeasuredWhereItMatters() throws {
    let schemes = plan(sensitivity.layers)
    let roles = Set(sensitivity.layers.map(\.role))
    let first = sensitivity.layersToMeasure(of: schemes, limit: roles.count)
    let costs = Dictionary(uniqueKeysWithValues: sensitivity.layers.map { ($0.layer, $0) })
    #expect(Set(first.compactMap { costs[$0]?.role }) == roles)
    for name in first {
      let layer = try #require(costs[name])
      let rivals = sensitivity.layers.filter { $0.role == layer.role }
      #expect(try rivals.allSatisfy { try cost($0) <= cost(layer) })
    }
    let order = try first.map { try cost(#require(costs[$0])) }
    #expect(order == order.sorted(by: >))
    // What is measured already, kept, or was never tried is not asked for again.
    sensitivity.record(measured([first[0]: coarse], 0.1))
    var rest = schemes
    rest[first[1]] = .keep
    let next = sensitivity.layersToMeasure(of: rest, limit: 1000)
    #expect(Set(next) == Set(schemes.keys).subtracting(first.prefix(2)))
    #expect(sensitivity.layersToMeasure(of: schemes, limit: 0).isEmpty)
  }
}
