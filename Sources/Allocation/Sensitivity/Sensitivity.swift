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
  /// Plans and single layers whose KLD was measured; ``record(_:)`` adds to them.
  public internal(set) var measurements: [MeasuredPlan] = []
  /// How layers' KLDs become a plan's, by what was measured.
  public internal(set) var predictor = PlanPredictor()

  public init(origin: Origin, layers: [LayerCosts]) {
    self.origin = origin
    self.layers = layers
  }

  /// Checks that this was measured on a model.
  ///
  /// - Throws: ``SensitivityError`` that names both models if it was not.
  public func check(fits model: ModelDescription) throws(SensitivityError) {
    let known = Set(model.layers.map(\.name))
    guard model.match(of: origin.fingerprint) != .other,
      layers.allSatisfy({ known.contains($0.layer) })
    else {
      throw .otherModel(measured: origin.model, open: model.name)
    }
  }

  /// The KLD that a plan should have.
  ///
  /// - Parameter schemes: The scheme of every layer, by name; layers that are missing stay as they are.
  /// - Returns: nil if some layer's scheme was never tried.
  public func prediction(for schemes: [String: Scheme]) -> PredictedDivergence? {
    sum(of: schemes).map { predictor.prediction(ofSum: $0.value, standardError: $0.standardError) }
  }

  /// What a layer costs in a compressed model on other text, with what measurements taught.
  ///
  /// - Parameters:
  ///   - trial: As it was tried.
  ///   - costs: The layer.
  /// - Returns: The trial with other figures.
  public func expected(_ trial: SchemeTrial, of costs: LayerCosts) -> SchemeTrial {
    var trial = costs.expected(trial)
    trial.divergence *= factor(of: costs)
    trial.standardError *= factor(of: costs)
    return trial
  }

  /// The sum of what a plan's layers cost.
  ///
  /// - Parameters:
  ///   - schemes: Of every layer, by name.
  ///   - isTaught: Whether measurements count.
  /// - Returns: nil if some layer's scheme was never tried.
  func sum(
    of schemes: [String: Scheme], isTaught: Bool = true
  ) -> (value: Double, standardError: Double)? {
    var (sum, variance) = (0.0, 0.0)
    for layer in layers {
      guard let trial = layer.trial(of: schemes[layer.layer] ?? .keep) else { return nil }
      let cost = isTaught ? expected(trial, of: layer) : layer.expected(trial)
      sum += cost.divergence
      variance += cost.standardError * cost.standardError
    }
    return (sum, variance.squareRoot())
  }
}
