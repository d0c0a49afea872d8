import Tensors

/// How sure a figure is.
public enum Standing: Codable, Hashable, Sendable {
  /// Estimated from this many of the layer's rows.
  case sampled(rows: Int)
  /// Computed from every weight.
  case exact
}

/// How far a compressed layer's weights are from the original's.
public struct WeightError: Codable, Hashable, Sendable {
  /// Mean squared difference.
  public var mse: Double
  /// 10 log10 of signal energy over error energy, in dB; nil when there is no error at all.
  public var sqnr: Double?
  /// Half-width of a 95 % confidence band around `sqnr`, in dB; 0 when exact.
  public var sqnrBand: Double
  /// Cosine of the angle between both layers, taken as vectors.
  public var cosine: Double
  /// Largest absolute difference (of the rows looked at).
  public var maxError: Double

  public init(mse: Double, sqnr: Double?, sqnrBand: Double, cosine: Double, maxError: Double) {
    self.mse = mse
    self.sqnr = sqnr
    self.sqnrBand = sqnrBand
    self.cosine = cosine
    self.maxError = maxError
  }
}

/// The error of one output channel.
public struct ChannelError: Codable, Hashable, Sendable {
  /// Row of the layer.
  public var channel: Int
  public var mse: Double
  /// In dB; nil when there is no error.
  public var sqnr: Double?
  public var maxError: Double

  public init(channel: Int, mse: Double, sqnr: Double?, maxError: Double) {
    self.channel = channel
    self.mse = mse
    self.sqnr = sqnr
    self.maxError = maxError
  }
}

/// Everything Vise can say of one layer under one scheme.
public struct LayerReport: Codable, Hashable, Sendable {
  public var layer: String
  public var scheme: Scheme
  public var standing: Standing
  public var size: LayerSize
  /// Bits a weight, everything counted.
  public var bitsPerWeight: Double
  public var error: WeightError
  /// Share of weights that are exactly zero after compression.
  public var zeroFraction: Double
  /// Weights before and after over the same bins, so that they can be drawn on one axis.
  public var before: Histogram
  public var after: Histogram
  /// Differences after minus before.
  public var difference: Histogram
  /// The channels with the lowest SQNR, worst first (of the rows looked at).
  public var worstChannels: [ChannelError]
  /// Experts that calibration missed, and that were compressed as if there were none; empty where nothing was asked
  /// of it.
  public var missedExperts: [Int]

  public init(
    layer: String, scheme: Scheme, standing: Standing, size: LayerSize, bitsPerWeight: Double,
    error: WeightError, zeroFraction: Double, before: Histogram, after: Histogram,
    difference: Histogram, worstChannels: [ChannelError], missedExperts: [Int] = []
  ) {
    self.layer = layer
    self.scheme = scheme
    self.standing = standing
    self.size = size
    self.bitsPerWeight = bitsPerWeight
    self.error = error
    self.zeroFraction = zeroFraction
    self.before = before
    self.after = after
    self.difference = difference
    self.worstChannels = worstChannels
    self.missedExperts = missedExperts
  }

  /// One sentence that names the experts that calibration missed; nil if it missed none.
  public var missedExpertsNote: String? {
    guard !missedExperts.isEmpty else { return nil }
    let fallback =
      [
        scheme.quantization.map { _ in "rounded to nearest" },
        scheme.sparsity.map { _ in "pruned by magnitude" },
      ].compactMap(\.self).joined(separator: " and ")
    return
      "\(missedExperts.names) of \(layer) read fewer than \(InputStatistics.leastTokens) "
      + "calibration tokens: \(fallback)"
  }
}
