import Allocation
import Checkpoints
import Foundation
import Testing

@Suite struct PredictionTests {
  @Test func withoutMeasurementsLayersAddUp() {
    let predictor = PlanPredictor()
    let prediction = predictor.prediction(ofSum: 0.2, standardError: 0)
    #expect(prediction.mean == 0.2)
    #expect(abs(prediction.high / 0.2 - exp(1.96 * PlanPredictor.initialSpread)) < 1e-12)
    #expect(abs(prediction.low * prediction.high - 0.04) < 1e-12)
    let sampled = predictor.prediction(ofSum: 0.2, standardError: 0.05)
    #expect(sampled.high > prediction.high)
    #expect(predictor.prediction(ofSum: 0, standardError: 0).high == 0)
  }

  /// Plans that follow a law are predicted by it once enough of them were measured.
  @Test func aFitFindsTheLawOfPlans() {
    var predictor = PlanPredictor()
    let sums = (0..<60).map { exp(-4 + Double($0) / 12) }
    let pairs = sums.map { PredictedAndMeasured(predicted: $0, measured: 1.2 * pow($0, 0.95)) }
    predictor.fit(to: pairs)
    #expect(abs(predictor.scale - 1.2) < 0.02)
    #expect(abs(predictor.exponent - 0.95) < 0.01)
    #expect(predictor.spread < 0.05)
    #expect(predictor.plans == 60)
    for sum in [0.02, 0.3, 2] {
      let mean = predictor.prediction(ofSum: sum, standardError: 0).mean
      #expect(abs(predictor.sum(predicting: mean) / sum - 1) < 1e-9)
    }
  }

  @Test func oneMeasurementMovesPredictionsPartOfTheWay() {
    var predictor = PlanPredictor()
    predictor.fit(to: [PredictedAndMeasured(predicted: 0.1, measured: 0.15)])
    let mean = predictor.prediction(ofSum: 0.1, standardError: 0).mean
    #expect(mean > 0.11 && mean < 0.15)
  }

  @Test func factorsAreFittedToLayers() {
    var predictor = PlanPredictor()
    let values = (1...30).map {
      PredictedAndMeasured(
        role: .value, layer: "v\($0)", predicted: 0.01 * Double($0),
        measured: 0.02 * Double($0))
    }
    predictor.fitFactors(
      to: values + [
        PredictedAndMeasured(
          role: .value, layer: "odd", predicted: 0.1, measured: 0.4, relativeError: 0.05),
        PredictedAndMeasured(
          role: .value, layer: "unsure", predicted: 0.1, measured: 0.4, relativeError: 2),
        PredictedAndMeasured(role: .down, layer: "down", predicted: 0.1, measured: 0.05),
        PredictedAndMeasured(predicted: 1, measured: 9),
      ])
    func factor(_ layer: String, _ role: Role = .value) -> Double {
      predictor.factor(of: layer, role: role)
    }
    #expect(abs(factor("never measured") - 2) < 0.15)
    #expect(abs(factor("v7") - 2) < 0.05)
    // A layer that is measured well has its own factor, one that is not has its role's.
    #expect(factor("odd") > 3.5 && factor("odd") < 4)
    #expect(abs(factor("unsure") / factor("never measured") - 1) < 0.05)
    // A single layer is not trusted all the way for its role.
    #expect(factor("never measured", .down) > 0.5 && factor("never measured", .down) < 0.75)
    #expect(factor("down", .down) < factor("never measured", .down))
    #expect(factor("gate", .gate) == 1)
  }

  /// Against scipy.stats.spearmanr and numpy, on values with ties.
  @Test func agreementIsThatOfScipy() throws {
    let predicted = [0.1, 0.2, 0.2, 0.4, 0.05, 0.9, 0.3]
    let measured = [0.12, 0.15, 0.3, 0.3, 0.07, 0.8, 0.2]
    let pairs = zip(predicted, measured).map {
      PredictedAndMeasured(predicted: $0, measured: $1)
    }
    let agreement = try #require(Agreement.ofPlans(pairs))
    #expect(agreement.count == 7)
    #expect(abs(try #require(agreement.rankCorrelation) - 0.9000000000000001) < 1e-9)
    #expect(abs(agreement.ratio - 1.125) < 1e-9)
    #expect(abs(try #require(agreement.spread) - 0.32921894637073473) < 1e-9)
    #expect(Agreement.byRole(pairs).isEmpty)
    #expect(Agreement([PredictedAndMeasured(predicted: 0, measured: 1)]) == nil)
  }

  @Test func layersAreJudgedByRole() throws {
    let pairs = [1.0, 2, 3].flatMap {
      [
        PredictedAndMeasured(role: .value, predicted: $0, measured: 2 * $0),
        PredictedAndMeasured(role: .key, predicted: $0, measured: $0),
      ]
    }
    let agreements = Agreement.byRole(pairs)
    #expect(agreements.count == 2)
    #expect(agreements[.value]?.ratio == 0.5)
    #expect(agreements[.key]?.rankCorrelation == 1)
    #expect(Agreement.ofPlans(pairs) == nil)
  }
}
