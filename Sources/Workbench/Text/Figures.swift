import Text

/// How numbers are written on the screen: short, aligned, and never in exponents where avoidable.
enum Figures {
  /// The number with so many decimals; a dash for what is no number.
  static func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "-" : value > 0 ? "inf" : "-inf" }
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = (abs(value) * scale).rounded()
    guard scaled < 9e15 else { return "\(value)" }
    let whole = Int(scaled)
    let sign = value < 0 && whole > 0 ? "-" : ""
    guard decimals > 0 else { return sign + String(whole) }
    let unit = Int(scale)
    let fraction = String(whole % unit)
    let zeros = String(repeating: "0", count: decimals - fraction.count)
    return "\(sign)\(whole / unit).\(zeros)\(fraction)"
  }

  /// About three significant digits: `0.0113`, `1.61`, `20.9`, `182`.
  static func significant(_ value: Double) -> String {
    let size = abs(value)
    guard size.isFinite, size > 0 else { return value == 0 ? "0" : fixed(value, 0) }
    switch size {
    case 99.95...: return fixed(value, 0)
    case 9.995...: return fixed(value, 1)
    case 0.9995...: return fixed(value, 2)
    case 0.09995...: return fixed(value, 3)
    case 0.009995...: return fixed(value, 4)
    case 0.0009995...: return fixed(value, 5)
    default: return scientific(value)
    }
  }

  /// A figure in two digits, for cells that have room for no more.
  static func brief(_ value: Double) -> String {
    let size = abs(value)
    switch size {
    case 9.95...: return fixed(value, 0)
    case 0.995...: return fixed(value, 1)
    case 0.0995...: return fixed(value, 2)
    case 0.00995...: return fixed(value, 3)
    case 0.000995...: return fixed(value, 4)
    default: return significant(value)
    }
  }

  private static func scientific(_ value: Double) -> String {
    var mantissa = value
    var exponent = 0
    while abs(mantissa) < 0.9995, exponent > -400 {
      mantissa *= 10
      exponent -= 1
    }
    return "\(fixed(mantissa, 1))e\(exponent)"
  }

  /// Bytes in decimal units with three digits: `690 KB`, `1.61 MB`, `84.2 MB`.
  static func bytes(_ count: Int) -> String {
    guard count >= 1000 else { return "\(count) B" }
    var value = Double(count)
    var unit = 0
    repeat {
      value /= 1000
      unit += 1
    } while value >= 999.5 && unit < units.count
    let decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0
    return "\(fixed(value, decimals)) \(units[unit - 1])"
  }

  /// Bytes of a whole model: one decimal more than ``bytes(_:)`` from 100 on, as `269.1 MB`.
  static func totalBytes(_ count: Int) -> String {
    count < 100_000 ? bytes(count) : ByteText.text(count)
  }

  /// A round value of an axis: `0.005`, `2`, `10`; in exponents only where very small.
  static func round(_ value: Double) -> String {
    guard value >= 0.000_095, value < 1e6 else { return scientific(value) }
    let text = fixed(value, 4)
    guard text.contains(".") else { return text }
    let trimmed = text.reversed().drop { $0 == "0" }
    return String((trimmed.first == "." ? trimmed.dropFirst() : trimmed).reversed())
  }

  /// A round count of bytes of an axis: `90 MB`, `1.5 GB`.
  static func roundBytes(_ count: Double) -> String {
    guard count >= 1000 else { return "\(fixed(count, 0)) B" }
    var value = count
    var unit = -1
    while value >= 999.5, unit + 1 < units.count {
      value /= 1000
      unit += 1
    }
    return "\(round(value)) \(units[unit])"
  }

  private static let units = ["KB", "MB", "GB", "TB", "PB", "EB"]

  /// A count of parameters: `134.5 M`, `7.24 B`.
  static func parameters(_ count: Int) -> String {
    switch count {
    case ..<10_000: String(count)
    case ..<1_000_000: fixed(Double(count) / 1e3, 1) + " K"
    case ..<1_000_000_000: fixed(Double(count) / 1e6, 1) + " M"
    default: fixed(Double(count) / 1e9, 2) + " B"
    }
  }

  /// A share of one: `94%`, or `99.6%` close to the whole.
  static func percent(_ share: Double) -> String {
    let percent = share * 100
    let rounded = percent.rounded()
    return fixed(percent, rounded == percent || percent < 90 && percent >= 10 ? 0 : 1) + "%"
  }

  /// Seconds left: `0:41`, `12:05`, `1:02:03`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 360_000 else { return "-:--" }
    let whole = Int(seconds.rounded(.up))
    let (hours, minutes, rest) = (whole / 3600, whole / 60 % 60, whole % 60)
    let padded = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
    return hours > 0 ? "\(hours):\(padded(minutes)):\(padded(rest))" : "\(minutes):\(padded(rest))"
  }
}
