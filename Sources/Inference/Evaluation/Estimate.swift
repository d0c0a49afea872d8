/// A figure that was measured on part of all text there is, with what that leaves open.
public struct Estimate: Codable, Hashable, Sendable {
  public var value: Double
  /// In the unit of the value; nil where a single window tells nothing of the spread.
  ///
  /// It is taken from the spread of whole windows, because tokens of one window are no independent draws.
  public var standardError: Double?

  public init(_ value: Double, standardError: Double? = nil) {
    self.value = value
    self.standardError = standardError
  }

  /// The mean of one value a window; nil for none.
  init?(meanOf values: [Double]) {
    guard !values.isEmpty else { return nil }
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    value = mean
    guard count > 1 else { return }
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    standardError = (squares / (count - 1) / count).squareRoot()
  }

  /// The estimate of a smooth function that has this value and slope here, by the delta method.
  func mapped(to value: Double, slope: Double) -> Estimate {
    Estimate(value, standardError: standardError.map { $0 * slope.magnitude })
  }
}
