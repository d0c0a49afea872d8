extension Double {
  /// The number with exactly `places` decimals; `–` when it is not finite.
  package func fixed(_ places: Int) -> String {
    guard isFinite else { return "–" }
    let unit = (0..<places).reduce(1.0) { unit, _ in unit * 10 }
    let scaled = (magnitude * unit).rounded()
    // Beyond this, decimals mean nothing and Int might not hold the digits.
    guard scaled < 1e15 else { return description }
    let digits = String(Int(scaled))
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    let sign = self < 0 && scaled > 0 ? "-" : ""
    guard places > 0 else { return sign + padded }
    return sign + padded.dropLast(places) + "." + padded.suffix(places)
  }

  /// As a percentage with one decimal.
  package var percent: String { (self * 100).fixed(1) + "%" }

  /// The number with about `digits` significant digits, however small it is: `0.0123`, `1.2e-07`.
  package func significant(_ digits: Int) -> String {
    guard isFinite, self != 0 else { return fixed(0) }
    var exponent = 0
    var mantissa = magnitude
    while mantissa >= 10 {
      mantissa /= 10
      exponent += 1
    }
    while mantissa < 1 {
      mantissa *= 10
      exponent -= 1
    }
    guard exponent < -4 else { return fixed(Swift.max(0, digits - 1 - exponent)) }
    let power = exponent > -10 ? "0\(-exponent)" : "\(-exponent)"
    return (self < 0 ? "-" : "") + mantissa.fixed(digits - 1) + "e-" + power
  }
}

extension Int {
  /// As megabytes of 10^6 bytes with two decimals.
  package var megabytes: String { (Double(self) / 1e6).fixed(2) }
}
