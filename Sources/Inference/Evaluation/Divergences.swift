/// The KLD of each scored token, and what it says of all text there is.
struct Divergences {
  private let windows: [[Double]]
  private let sorted: [Double]
  /// Mean KLD of each window.
  let windowMeans: [Double]

  /// The KLD of each token, window by window; nil for none.
  init?(_ windows: [[Double]]) {
    guard !windows.isEmpty, windows.allSatisfy({ !$0.isEmpty }) else { return nil }
    self.windows = windows
    sorted = windows.joined().sorted()
    windowMeans = windows.map { $0.reduce(0, +) / Double($0.count) }
  }

  var summary: EvaluationSummary.Divergence? {
    guard let mean = Estimate(meanOf: windowMeans) else { return nil }
    return EvaluationSummary.Divergence(
      mean: mean, median: quantile(0.5), p99: quantile(0.99), max: maximum)
  }

  /// A quantile with Woodruff's standard error.
  ///
  /// The share of tokens below the quantile has a standard error as any mean of windows; half the distance of the
  /// quantiles so much higher and lower is that of the quantile. Source: Woodruff, Confidence Intervals for Medians
  /// and Other Position Measures (1952).
  private func quantile(_ share: Double) -> Estimate {
    let value = interpolated(share)
    let sharesBelow = windows.map { window in
      Double(window.count { $0 <= value }) / Double(window.count)
    }
    guard let error = Estimate(meanOf: sharesBelow)?.standardError else { return Estimate(value) }
    let (low, high) = (max(share - error, 0), min(share + error, 1))
    return Estimate(value, standardError: (interpolated(high) - interpolated(low)) / 2)
  }

  /// The largest KLD with the jackknife's standard error: leaving a window out changes it only if it is that window's.
  ///
  /// A maximum grows with the text; the error says how far it hangs on one window, no more.
  private var maximum: Estimate {
    let peaks = windows.map { $0.max() ?? 0 }.sorted()
    let value = peaks[peaks.count - 1]
    guard peaks.count > 1 else { return Estimate(value) }
    let count = Double(peaks.count)
    return Estimate(value, standardError: (count - 1) / count * (value - peaks[peaks.count - 2]))
  }

  /// The quantile by linear interpolation between the two values next to it.
  private func interpolated(_ share: Double) -> Double {
    let place = share * Double(sorted.count - 1)
    let lower = Int(place)
    let upper = min(lower + 1, sorted.count - 1)
    return sorted[lower] + (sorted[upper] - sorted[lower]) * (place - Double(lower))
  }
}
