import Allocation
import Checkpoints
import Compression
import Foundation
import TestSupport
import Testing

/// What is predicted before anything is measured, against what was (as Benchmarks/prediction.py --record keeps it).
@Suite struct UnseenTextTests {
  /// One plan on one text: what its layers' trials add up to, and what it measured.
  private struct Record: Decodable {
    let model: String
    let text: String
    let bitsPerWeight: Double
    let method: QuantizationMethod
    let divergence: Double
    let relativeError: Double
    let standardError: Double
    let measured: Double

    /// Growth is linear in the relative error, so that one layer of the plan's mean error costs what all do.
    var prediction: PredictedDivergence {
      let costs = UnseenTextTests.layer(divergencePerRelativeError: divergence / relativeError)
      let scheme = UnseenTextTests.scheme(method)
      let trial = costs.expected(
        SchemeTrial(
          scheme: scheme, bytes: 0, divergence: divergence, standardError: standardError))
      return PlanPredictor().prediction(
        ofSum: trial.divergence, standardError: trial.standardError)
    }
  }

  /// A layer of 2 x 2 weights whose errors cost so much.
  private static func layer(divergencePerRelativeError whole: Double) -> LayerCosts {
    LayerCosts(
      layer: "layer", role: .down, originalBytes: 8, energy: 4,
      fisher: LayerFisher(tokens: 1, inputs: [1, 1], outputs: [1, 1], trace: 2 * whole), trials: [])
  }

  private static func scheme(_ method: QuantizationMethod) -> Scheme {
    Scheme(quantization: QuantizationScheme(bits: 4, range: .weighted, method: method))
  }

  private func records() throws -> [Record] {
    try Repository.fixture("predictions.json", of: "AllocationTests", as: [Record].self)
  }

  @Test func nineteenOfTwentyMeasuredValuesLieInTheBand() throws {
    let records = try records()
    #expect(Set(records.map(\.model)).count == 3)
    #expect(Set(records.map(\.bitsPerWeight)).count == 10)
    let inside = records.filter {
      ($0.prediction.low...$0.prediction.high).contains($0.measured)
    }
    #expect(Double(inside.count) >= 0.95 * Double(records.count))
    // A band that says nothing holds everything.
    #expect(records.allSatisfy { $0.prediction.high < 2.5 * $0.prediction.mean })
  }

  @Test func predictionsAreNeitherHighNorLow() throws {
    let ratios = try records().map { $0.prediction.mean / $0.measured }.sorted()
    #expect((0.85...1.15).contains(ratios[ratios.count / 2]))
  }

  @Test func smallErrorsCostWhatGradientsSay() {
    #expect(PlanPredictor.growth(ofError: 0) == 1)
    #expect(PlanPredictor.growth(ofError: 1e-4) < 1.001)
    // No more than everything can be lost.
    #expect(PlanPredictor.growth(ofError: 7) == PlanPredictor.growth(ofError: 1))
  }

  /// So that a wider scheme, whose error is smaller, never becomes the dearer one.
  @Test func expectationsKeepTheOrderOfTrials() {
    let costs = Self.layer(divergencePerRelativeError: 0.5)
    let scheme = Self.scheme(.rtn)
    let expected = (1...200).map { step in
      costs.expected(
        SchemeTrial(
          scheme: scheme, bytes: 0, divergence: Double(step) / 100, standardError: 0.001)
      ).divergence
    }
    #expect(zip(expected, expected.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test func errorsThatCancelCancelLessOnOtherText() {
    let costs = Self.layer(divergencePerRelativeError: 10)
    let expected = [QuantizationMethod.rtn, .gptq].map { method in
      let scheme = Self.scheme(method)
      return costs.expected(
        SchemeTrial(scheme: scheme, bytes: 7, divergence: 0.01, standardError: 0.001))
    }
    #expect(expected[0].divergence > 0.01 && expected[0].divergence < expected[1].divergence)
    #expect(expected.allSatisfy { abs($0.standardError / $0.divergence - 0.1) < 1e-12 })
    #expect(expected.allSatisfy { $0.bytes == 7 })
  }
}
