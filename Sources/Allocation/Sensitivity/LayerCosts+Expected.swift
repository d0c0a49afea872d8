import Compression

extension LayerCosts {
  /// What a scheme costs in a compressed model that reads other text than it was calibrated on.
  ///
  /// - Parameter trial: As it was tried, alone, on calibration text.
  /// - Returns: The trial with other figures, without what measurements taught.
  public func expected(_ trial: SchemeTrial) -> SchemeTrial {
    let whole = fisher.divergencePerRelativeError(energy: energy)
    let factor = PlanPredictor.unseenFactor(
      ofError: whole > 0 ? trial.divergence / whole : 0,
      cancels: trial.scheme.cancelsErrors)
    return SchemeTrial(
      scheme: trial.scheme, bytes: trial.bytes, divergence: factor * trial.divergence,
      standardError: factor * trial.standardError)
  }
}
