import Checkpoints
import Glibc

extension PredictedAndMeasured {
  /// Of what was measured to what was predicted.
  fileprivate var logRatio: Double { log(measured / predicted) }

  /// Of the log of what was measured; never so small that one text's figure is taken for every text's.
  fileprivate var variance: Double {
    let least = 0.1
    return max(relativeError, least) * max(relativeError, least)
  }
}

extension PlanPredictor {
  /// Standard deviation of log(measured / predicted) over plans of one model on one text, once it is known how far they are
  /// off together.
  private static let plansSpread = 0.15
  /// Plans that this is believed for as much as for.
  private static let priorPlans = 2.0
  /// Standard deviation of the exponent before any plan was measured: factors hold over four decades of KLDs.
  private static let priorExponent = 0.03
  /// Standard deviation of the log of a role's factor before any of its layers was measured.
  private static let priorMultiplier = 0.5
  /// Standard deviation of the log of predicted / measured over the layers of a role.
  private static let layerSpread = 0.3

  /// Fits the factors of roles and layers to layers that were compressed alone and measured.
  ///
  /// A role's is the geometric mean of measured / predicted, drawn towards 1 the more the fewer layers there are. A
  /// layer's is its own, drawn towards the role's the more the less certain its measurement is.
  /// - Parameter pairs: Predictions without factors; pairs of whole plans are not used.
  public mutating func fitFactors(to pairs: [PredictedAndMeasured]) {
    let pairs = pairs.filter { $0.predicted > 0 && $0.measured > 0 }
    roleFactors = [:]
    layerFactors = [:]
    for (role, pairs) in Dictionary(grouping: pairs, by: \.role) {
      guard let role else { continue }
      let weight =
        Self.layerSpread * Self.layerSpread / (Self.priorMultiplier * Self.priorMultiplier)
      let mean = pairs.reduce(0) { $0 + $1.logRatio } / (Double(pairs.count) + weight)
      roleFactors[role] = exp(mean)
      for (layer, own) in Dictionary(grouping: pairs, by: \.layer) {
        guard let layer else { continue }
        // The mean of the layer's measurements under normal errors, and a normal prior around the role's.
        let precision = own.reduce(1 / (Self.layerSpread * Self.layerSpread)) {
          $0 + 1 / $1.variance
        }
        let offset = own.reduce(0) { $0 + ($1.logRatio - mean) / $1.variance } / precision
        layerFactors[layer] = exp(mean + offset)
      }
    }
  }

  /// Fits scale, exponent and spread to plans that were measured.
  ///
  /// Least squares in logarithms, drawn towards a plain sum the more the fewer plans there are.
  /// - Parameter pairs: Sums of layers' predicted KLDs with factors; pairs of single layers are not used.
  public mutating func fit(to pairs: [PredictedAndMeasured]) {
    let points = pairs.filter { $0.role == nil && $0.predicted > 0 && $0.measured > 0 }
      .map { (x: log($0.predicted), y: log($0.measured) - log($0.predicted)) }
    guard !points.isEmpty else { return }
    // y = offset + slope * x, with a normal prior around 0 on both.
    let variance = Self.plansSpread * Self.plansSpread
    let ridge = (
      offset: variance / (Self.initialSpread * Self.initialSpread),
      slope: variance / (Self.priorExponent * Self.priorExponent)
    )
    let n = Double(points.count) + ridge.offset
    let x = points.reduce(0) { $0 + $1.x }
    let y = points.reduce(0) { $0 + $1.y }
    let xx = points.reduce(ridge.slope) { $0 + $1.x * $1.x }
    let xy = points.reduce(0) { $0 + $1.x * $1.y }
    let determinant = n * xx - x * x
    let offset = (xx * y - x * xy) / determinant
    let slope = (n * xy - x * y) / determinant
    let squares = points.reduce(Self.priorPlans * variance) { sum, point in
      let residual = point.y - offset - slope * point.x
      return sum + residual * residual
    }
    scale = exp(offset)
    exponent = 1 + slope
    let own = squares / (Double(points.count) + Self.priorPlans)
    // How far plans are off together is known the better the more there are.
    spread = (own + variance / n).squareRoot()
    plans = points.count
  }
}
