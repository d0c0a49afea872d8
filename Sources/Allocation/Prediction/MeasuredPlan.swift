import Checkpoints
import Compression

/// The KLD of a plan as it was measured, for predictions to learn from.
///
/// A plan that compresses one layer tells of that layer; others of how layers add up.
public struct MeasuredPlan: Hashable, Sendable {
  /// Schemes of the layers that were compressed, by name; all others were as in the checkpoint.
  public var schemes: [String: Scheme]
  /// In nats a token.
  public var divergence: Double
  /// Of `divergence`, over windows.
  public var standardError: Double
  /// The text, by name.
  public var text: String
  /// Tokens that were scored.
  public var tokens: Int

  /// - Parameters:
  ///   - schemes: Of all layers, or of those that are compressed.
  ///   - divergence: Measured mean KLD, in nats a token.
  ///   - standardError: Of it, over windows.
  ///   - text: By name.
  ///   - tokens: That were scored.
  public init(
    schemes: [String: Scheme], divergence: Double, standardError: Double, text: String, tokens: Int
  ) {
    self.schemes = schemes.filter { !$0.value.keepsLayer }
    self.divergence = divergence
    self.standardError = standardError
    self.text = text
    self.tokens = tokens
  }

  /// Whether another one is of the same plan and text, and so takes this one's place.
  func isReplaced(by other: MeasuredPlan) -> Bool {
    text == other.text && schemes == other.schemes
  }
}

/// How predictions agreed with what was measured.
public struct PredictionAgreement: Codable, Hashable, Sendable {
  /// Of layers compressed alone, as predicted before any of them was measured; nil if none was.
  public var layers: Agreement?
  /// The same, role by role.
  public var roles: [RoleAgreement]
  /// Of whole plans: the sums of what layers cost, with what measured layers taught; nil if none was measured.
  public var plans: Agreement?

  /// The agreement of one role's layers.
  public struct RoleAgreement: Codable, Hashable, Sendable {
    /// The role's name.
    public var role: String
    public var agreement: Agreement
  }

  /// Compares what was predicted with what was measured; nil if nothing was.
  ///
  /// - Parameters:
  ///   - layers: Single layers, each alone.
  ///   - plans: Whole plans.
  public init?(layers: [PredictedAndMeasured], plans: [PredictedAndMeasured]) {
    self.layers = Agreement(layers)
    self.plans = Agreement(plans)
    roles = Agreement.byRole(layers)
      .map { RoleAgreement(role: $0.key.rawValue, agreement: $0.value) }
      .sorted { $0.role < $1.role }
    if self.layers == nil, self.plans == nil { return nil }
  }
}
