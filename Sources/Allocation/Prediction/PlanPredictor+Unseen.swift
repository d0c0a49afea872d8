/// What trials leave out, and measured plans show: constants that hold for a model before anything of it was measured.
///
/// docs/predictions.md tells which models and texts they were found on, `make bench-prediction` how they hold.
extension PlanPredictor {
  /// Standard deviation of log(measured / predicted) over models, texts that calibration never saw, and sizes.
  public static let initialSpread = 0.42

  /// What is measured on other text over what trials say of the calibration text, where errors are small.
  public static let otherText = 1.2

  /// The same of methods that let errors cancel, as GPTQ: what cancels on one text cancels less on another.
  public static let otherTextOfCancellation = 1.4

  /// How much more an error costs than gradients say, which tell what small errors cost one by one.
  ///
  /// Errors that are large, and meet those of the layers before them, cost more: those of 2 and 3 bits, and no others.
  ///
  /// - Parameter error: Energy of what the layer's output loses, over that of the output; an error of more than all of it
  ///   counts as one of all.
  /// - Returns: A factor of 1 or more.
  public static func growth(ofError error: Double) -> Double { 1 + 4 * min(error, 1) }

  /// What a layer costs in a compressed model that reads other text, over what its trial said.
  ///
  /// - Parameters:
  ///   - error: The trial's relative error, as of ``growth(ofError:)``.
  ///   - cancels: Whether the method lets errors cancel.
  /// - Returns: A factor, without what measurements taught.
  public static func unseenFactor(ofError error: Double, cancels: Bool) -> Double {
    (cancels ? otherTextOfCancellation : otherText) * growth(ofError: error)
  }
}
