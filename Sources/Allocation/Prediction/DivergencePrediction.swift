/// A KLD that nobody has measured yet, with the band that it should lie in, in nats a token.
public struct DivergencePrediction: Codable, Hashable, Sendable {
  public var mean: Double
  /// 19 of 20 plans should lie between these.
  public var low: Double
  public var high: Double

  public init(mean: Double, low: Double, high: Double) {
    self.mean = mean
    self.low = low
    self.high = high
  }
}
