import Checkpoints
import Compression

/// How much each layer of one model costs under each scheme: what allocations are solved with.
///
/// Measured once; saved with ``write(to:)``, shared, and solved again for any budget.
public struct Sensitivity: Hashable, Sendable {
  /// Where the figures come from.
  public struct Origin: Codable, Hashable, Sendable {
    /// The model's name.
    public var model: String
    /// ``ModelDescription/fingerprint`` of its checkpoint.
    public var fingerprint: String
    /// The calibration text, by name.
    public var text: String
    /// Tokens that gradients were taken on.
    public var gradientTokens: Int
    /// Tokens that calibrated methods were tried with.
    public var trialTokens: Int
    /// The version of Vise that measured.
    public var version: String

    public init(
      model: String, fingerprint: String, text: String, gradientTokens: Int, trialTokens: Int,
      version: String
    ) {
      self.model = model
      self.fingerprint = fingerprint
      self.text = text
      self.gradientTokens = gradientTokens
      self.trialTokens = trialTokens
      self.version = version
    }
  }

  public var origin: Origin
  /// In the model's order.
  public var layers: [LayerCosts]
  /// How sums of layers' KLDs become a plan's.
  public var predictor: PlanPredictor

  public init(origin: Origin, layers: [LayerCosts], predictor: PlanPredictor = PlanPredictor()) {
    self.origin = origin
    self.layers = layers
    self.predictor = predictor
  }

  /// Checks that this was measured on a model.
  ///
  /// - Throws: ``SensitivityError`` that names both models if it was not.
  public func check(fits model: ModelDescription) throws(SensitivityError) {
    let known = Set(model.layers.map(\.name))
    guard origin.fingerprint == model.fingerprint, layers.allSatisfy({ known.contains($0.layer) })
    else {
      throw .otherModel(measured: origin.model, open: model.name)
    }
  }

  /// The KLD that a plan should have.
  ///
  /// - Parameter schemes: The scheme of every layer, by name; layers that are missing stay as they are.
  /// - Returns: nil if some layer's scheme was never tried.
  public func prediction(for schemes: [String: Scheme]) -> DivergencePrediction? {
    var (sum, variance) = (0.0, 0.0)
    for layer in layers {
      guard let trial = layer.trial(of: schemes[layer.layer] ?? .keep) else { return nil }
      let multiplier = predictor.multiplier(of: layer.role)
      sum += multiplier * trial.divergence
      variance += (multiplier * trial.standardError) * (multiplier * trial.standardError)
    }
    return predictor.prediction(ofSum: sum, standardError: variance.squareRoot())
  }
}
