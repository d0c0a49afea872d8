/// Counts of bytes as people read them, in decimal units.
package enum ByteText {
  private static let units = ["KB", "MB", "GB", "TB", "PB", "EB"]

  /// One decimal from 10 units on, two below: `90.0 MB`, `1.61 GB`; whole bytes below 1000.
  package static func text(_ count: Int) -> String {
    guard count.magnitude >= 1000 else { return "\(count) B" }
    var value = Double(count)
    var unit = -1
    while abs(value) >= 999.95 || unit < 0, unit + 1 < units.count {
      value /= 1000
      unit += 1
    }
    return "\(fixed(value, abs(value) < 9.995 ? 100 : 10)) \(units[unit])"
  }

  private static func fixed(_ value: Double, _ scale: Int) -> String {
    let scaled = Int((abs(value) * Double(scale)).rounded())
    let fraction = String(scale + scaled % scale).dropFirst()
    return "\(value < 0 ? "-" : "")\(scaled / scale).\(fraction)"
  }
}
