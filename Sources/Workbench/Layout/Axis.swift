import Glibc

/// One axis of a plot: which part of its length a value lies at, and round values to name.
struct Axis: Hashable, Sendable {
  let lower: Double
  let upper: Double
  let isLogarithmic: Bool

  /// A linear axis over a range; one without extent gets some.
  init(linear range: ClosedRange<Double>) {
    lower = range.lowerBound
    upper = max(range.upperBound, range.lowerBound + 1)
    isLogarithmic = false
  }

  /// A logarithmic axis over positive values, at most `decades` of them below the greatest.
  init(logarithmic values: [Double], decades: Double = 5) {
    let positive = values.filter { $0 > 0 && $0.isFinite }
    let greatest = positive.max() ?? 1
    let least = max(positive.min() ?? 0.1, greatest * pow(10, -decades))
    // Half as much again at either end, so that no point lies on the frame.
    upper = greatest * 1.5
    lower = min(least, greatest / 10) / 1.5
    isLogarithmic = true
  }

  /// Where a value lies, 0 to 1 from the lower end; what is beyond an end lies at it.
  func share(of value: Double) -> Double {
    guard !value.isNaN else { return 0 }
    let share =
      isLogarithmic
      ? log(max(value, lower) / lower) / log(upper / lower)
      : (value - lower) / (upper - lower)
    return min(max(share, 0), 1)
  }

  /// The value at a share of the length.
  func value(at share: Double) -> Double {
    isLogarithmic ? lower * pow(upper / lower, share) : lower + share * (upper - lower)
  }

  /// Round values inside the axis, about `count` of them, ascending.
  ///
  /// Steps of a linear axis are 1, 2 or 5 times a power of ten; a logarithmic one names 1, 2 and 5
  /// of each decade, or only the decades.
  func ticks(about count: Int) -> [Double] {
    guard count > 0 else { return [] }
    if isLogarithmic {
      let all = Int(floor(log10(lower)))...Int(ceil(log10(upper)))
      let fine = all.flatMap { power in [1, 2, 5].map { $0 * pow(10, Double(power)) } }
        .filter { $0 >= lower && $0 <= upper }
      return fine.count <= count
        ? fine : all.map { pow(10, Double($0)) }.filter { $0 >= lower && $0 <= upper }
    }
    let step = Self.roundStep((upper - lower) / Double(count))
    let first = Int((lower / step).rounded(.up))
    let last = Int((upper / step).rounded(.down))
    return first <= last ? (first...last).map { Double($0) * step } : []
  }

  /// The least of 1, 2 or 5 times a power of ten that is at least `size`.
  static func roundStep(_ size: Double) -> Double {
    guard size > 0, size.isFinite else { return 1 }
    let power = pow(10, floor(log10(size)))
    let factor = [1, 2, 5].first { $0 * power >= size * 0.999_999 } ?? 10
    return factor * power
  }
}
