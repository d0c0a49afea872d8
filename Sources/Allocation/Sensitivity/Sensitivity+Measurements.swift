import Checkpoints
import Compression

/// What was measured of plans, and what predictions learn from it.
extension Sensitivity {
  /// Takes on the measured KLD of a plan, in place of an earlier one of the same plan on the same text.
  ///
  /// Plans with a scheme that was never tried teach nothing and are not kept.
  ///
  /// - Returns: Whether it was taken on.
  @discardableResult
  public mutating func record(_ measurement: MeasuredPlan) -> Bool {
    guard !measurement.schemes.isEmpty, measurement.divergence.isFinite,
      rawSum(of: measurement.schemes) != nil
    else { return false }
    measurements.removeAll { $0.isReplaced(by: measurement) }
    measurements.append(measurement)
    learn()
    return true
  }

  /// How predictions agreed with what was measured; nil before anything was.
  public var agreement: PredictionAgreement? {
    PredictionAgreement(layers: layerPairs, plans: planPairs)
  }

  /// The layers of a plan that are worth measuring next, alone: those that cost most, of each role in turn.
  ///
  /// Layers that were measured under their scheme already are left out, and so are schemes that were never tried.
  ///
  /// - Parameters:
  ///   - schemes: Of every layer, by name; layers that are missing stay as they are.
  ///   - limit: Most layers.
  /// - Returns: Their names, the first the most worth it.
  public func layersToMeasure(of schemes: [String: Scheme], limit: Int) -> [String] {
    let known = Set(measurements.filter { $0.schemes.count == 1 }.map(\.schemes))
    var costs: [Role: [(cost: Double, layer: String)]] = [:]
    for layer in layers {
      guard let scheme = schemes[layer.layer], !scheme.keepsLayer,
        let trial = layer.trial(of: scheme), !known.contains([layer.layer: scheme])
      else { continue }
      costs[layer.role, default: []].append((expected(trial, of: layer).divergence, layer.layer))
    }
    let rounds = costs.values.flatMap { layers in
      layers.sorted { ($1.cost, $0.layer) < ($0.cost, $1.layer) }.enumerated()
    }
    return rounds.sorted {
      ($0.offset, $1.element.cost, $0.element.layer) < (
        $1.offset, $0.element.cost, $1.element.layer
      )
    }
    .prefix(max(limit, 0)).map(\.element.layer)
  }

  /// The factor on what is predicted for a layer.
  public func factor(of layer: LayerCosts) -> Double {
    predictor.factor(of: layer.layer, role: layer.role)
  }

  /// Fits predictions to all that was measured: single layers first, then how they add up.
  mutating func learn() {
    predictor = PlanPredictor()
    predictor.fitFactors(to: layerPairs)
    predictor.fit(to: planPairs)
  }

  /// Layers that were compressed alone: predictions as they were before anything was measured.
  private var layerPairs: [PredictedAndMeasured] {
    measurements.filter { $0.schemes.count == 1 }.compactMap { measurement in
      guard let name = measurement.schemes.keys.first,
        let layer = layers.first(where: { $0.layer == name }),
        let raw = rawSum(of: measurement.schemes)
      else { return nil }
      return PredictedAndMeasured(
        role: layer.role, layer: name, predicted: raw, measured: measurement.divergence,
        relativeError: measurement.relativeError)
    }
  }

  /// Whole plans: the sums of their layers' predictions, each with its factor.
  private var planPairs: [PredictedAndMeasured] {
    measurements.filter { $0.schemes.count > 1 }.compactMap { measurement in
      sum(of: measurement.schemes).map {
        PredictedAndMeasured(
          predicted: $0.value, measured: measurement.divergence,
          relativeError: measurement.relativeError)
      }
    }
  }

  private func rawSum(of schemes: [String: Scheme]) -> Double? {
    sum(of: schemes, isTaught: false)?.value
  }
}

extension MeasuredPlan {
  fileprivate var relativeError: Double { divergence > 0 ? standardError / divergence : 0 }
}
