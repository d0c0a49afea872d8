import Checkpoints
import Glibc

/// How predicted KLDs of layers add up to a plan's.
///
/// Errors of layers are nearly independent, so that their KLDs add up, once each is what it will be on other text and
/// beside other errors (``unseenFactor(ofError:cancels:)``). The sum s becomes scale * s^exponent; both are 1 until plans have been
/// measured.
public struct PlanPredictor: Hashable, Sendable {
  /// Factors on what is predicted for layers of a role; 1 for others.
  public internal(set) var roleFactors: [Role: Double]
  /// Factors on what is predicted for layers that were measured, by name.
  public internal(set) var layerFactors: [String: Double]
  public internal(set) var scale: Double
  public internal(set) var exponent: Double
  /// Standard deviation of log(measured / predicted) over plans.
  public internal(set) var spread: Double
  /// Plans that it was fitted to.
  public internal(set) var plans: Int

  /// Adds up what the layers say.
  public init() {
    roleFactors = [:]
    layerFactors = [:]
    scale = 1
    exponent = 1
    spread = Self.initialSpread
    plans = 0
  }

  /// The factor on what is predicted for a layer.
  public func factor(of layer: String, role: Role) -> Double {
    layerFactors[layer] ?? roleFactors[role] ?? 1
  }

  /// The KLD of a plan.
  ///
  /// - Parameters:
  ///   - sum: Of its layers' predicted KLDs, each with its factor.
  ///   - standardError: Of the sum, from sampling rows.
  /// - Returns: The prediction with its band of 95 %.
  public func prediction(ofSum sum: Double, standardError: Double) -> PredictedDivergence {
    guard sum > 0 else { return PredictedDivergence(mean: 0, low: 0, high: 0) }
    return PredictedDivergence(
      mean: scale * pow(sum, exponent), spread: spread, sampling: exponent * standardError / sum)
  }

  /// The sum of layers' KLDs whose prediction is `divergence`.
  public func sum(predicting divergence: Double) -> Double {
    divergence > 0 ? pow(divergence / scale, 1 / exponent) : 0
  }
}
