import Glibc

/// A KLD that nobody has measured yet, with the band that it should lie in.
public struct PredictedDivergence: Codable, Hashable, Sendable {
  /// In nats a token.
  public var mean: Double
  /// 19 of 20 plans should lie between these.
  public var low: Double
  public var high: Double

  public init(mean: Double, low: Double, high: Double) {
    self.mean = mean
    self.low = low
    self.high = high
  }

  /// A prediction with its band of 95 %, from the scatter of predictions and what sampling adds.
  ///
  /// - Parameters:
  ///   - mean: In nats a token.
  ///   - spread: Standard deviation of log(measured / predicted).
  ///   - sampling: Standard error of `mean` as a share of it.
  public init(mean: Double, spread: Double, sampling: Double) {
    let band = exp(1.96 * (spread * spread + sampling * sampling).squareRoot())
    self.init(mean: mean, low: mean / band, high: mean * band)
  }
}
