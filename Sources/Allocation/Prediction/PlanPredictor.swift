import Checkpoints
import Glibc

/// How predicted KLDs of layers add up to a plan's.
///
/// Errors of layers are nearly independent, so that their KLDs add up; where everything changes at once and the sum
/// exceeds some tenths of a nat, higher orders show. The sum s becomes scale * s^exponent; both are 1 until plans
/// have been measured.
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

  /// Scatter of some fifty plans of SmolLM2-135M around their predictions, and how far these are off together.
  public static let initialSpread = 0.2

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
  ///   - sum: of its layers' predicted KLDs, each with its factor.
  ///   - standardError: of the sum, from sampling rows.
  /// - Returns: the prediction with its band of 95 %.
  public func prediction(ofSum sum: Double, standardError: Double) -> DivergencePrediction {
    guard sum > 0 else { return DivergencePrediction(mean: 0, low: 0, high: 0) }
    let mean = scale * pow(sum, exponent)
    let sampling = exponent * standardError / sum
    let band = exp(1.96 * (spread * spread + sampling * sampling).squareRoot())
    return DivergencePrediction(mean: mean, low: mean / band, high: mean * band)
  }

  /// The sum of layers' KLDs whose prediction is `divergence`.
  public func sum(predicting divergence: Double) -> Double {
    divergence > 0 ? pow(divergence / scale, 1 / exponent) : 0
  }
}
