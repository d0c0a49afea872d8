import Checkpoints
import Glibc

extension PlanPredictor {
  /// Measurements that what was believed before counts as much as.
  private static let priorPlans = 2.0
  /// Standard deviation of the exponent before any plan was measured.
  private static let priorExponent = 0.1
  /// Standard deviation of the log of a role's factor before any of its layers was measured.
  private static let priorMultiplier = 0.5
  /// Standard deviation of the log of predicted / measured over the layers of a role.
  private static let layerSpread = 0.3

  /// Fits the factors of roles to layers that were compressed alone and measured.
  ///
  /// A factor is the geometric mean of measured / predicted, drawn towards 1 the more the fewer layers there are.
  /// - Parameter pairs: Predictions without multipliers; pairs of whole plans are not used.
  public mutating func fitMultipliers(to pairs: [PredictedAndMeasured]) {
    let layers = Dictionary(grouping: pairs.filter { $0.predicted > 0 && $0.measured > 0 }) {
      $0.role
    }
    for (role, pairs) in layers {
      guard let role else { continue }
      let sum = pairs.reduce(0) { $0 + log($1.measured / $1.predicted) }
      let weight =
        Self.layerSpread * Self.layerSpread / (Self.priorMultiplier * Self.priorMultiplier)
      multipliers[role.rawValue] = exp(sum / (Double(pairs.count) + weight))
    }
  }

  /// Fits scale, exponent and spread to plans that were measured.
  ///
  /// Least squares in logarithms, drawn towards a plain sum the more the fewer plans there are.
  /// - Parameter pairs: Sums of layers' predicted KLDs with multipliers; pairs of single layers are not used.
  public mutating func fit(to pairs: [PredictedAndMeasured]) {
    let points = pairs.filter { $0.role == nil && $0.predicted > 0 && $0.measured > 0 }
      .map { (x: log($0.predicted), y: log($0.measured) - log($0.predicted)) }
    guard !points.isEmpty else { return }
    // y = offset + slope * x, with a normal prior around 0 on both.
    let variance = Self.initialSpread * Self.initialSpread
    let ridge = (
      offset: Self.priorPlans, slope: variance / (Self.priorExponent * Self.priorExponent)
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
    spread = (squares / n).squareRoot()
    plans = points.count
  }
}
