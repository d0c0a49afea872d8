import Checkpoints
import Compression

/// All that is known of what compressing one layer costs.
public struct LayerCosts: Hashable, Sendable {
  /// The layer's Hugging Face name.
  public let layer: String
  public let role: Role
  /// Bytes in the checkpoint.
  public let originalBytes: Int
  /// Sum of the squares of all weights.
  public let energy: Double
  /// What predicts the KLD of any error of the layer's weights.
  public let fisher: LayerFisher
  /// One for each scheme that was tried.
  public var trials: [SchemeTrial]

  public init(
    layer: String, role: Role, originalBytes: Int, energy: Double, fisher: LayerFisher,
    trials: [SchemeTrial]
  ) {
    self.layer = layer
    self.role = role
    self.originalBytes = originalBytes
    self.energy = energy
    self.fisher = fisher
    self.trials = trials
  }

  /// The trial of a scheme; leaving the layer as it is costs nothing and needs none.
  public func trial(of scheme: Scheme) -> SchemeTrial? {
    if scheme.keepsLayer {
      return SchemeTrial(scheme: .keep, bytes: originalBytes, divergence: 0, standardError: 0)
    }
    return trials.first { $0.scheme == scheme }
  }

  /// Adds a trial, in place of an earlier one of the same scheme.
  public mutating func record(_ trial: SchemeTrial) {
    trials.removeAll { $0.scheme == trial.scheme }
    trials.append(trial)
  }
}
