/// Numbers in decimal digits, rounded as C's and Python's formats round them: exactly, halves to even.
enum DecimalDigits {
  /// Most digits after the point.
  static let precisionLimit = 100

  /// About how many digits ``fixed(_:_:)`` computes, in hundreds: very small and very large numbers have many.
  static func cost(of value: Double) -> Int {
    value.isFinite && value != 0
      ? Int(value.exponent.magnitude) * Int(value.exponent.magnitude) / 256 : 0
  }

  /// `value` with `precision` digits after the point.
  static func fixed(_ value: Double, _ precision: Int) -> String {
    guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
    // value = significand * 2^exponent, exactly, as the digits of a whole number.
    let magnitude = value.magnitude
    let exponent = magnitude == 0 ? 0 : Int(magnitude.exponent) - 52
    let significand = magnitude == 0 ? 0 : UInt64(magnitude.significand * 0x1p52)
    var digits = [UInt8](String(significand).utf8.map { $0 - 48 })
    var fraction = 0
    if exponent > 0 {
      for _ in 0..<exponent { multiply(&digits, by: 2) }
    } else {
      // A half is five tenths.
      for _ in 0..<(-exponent) { multiply(&digits, by: 5) }
      fraction = -exponent
    }
    if digits.count <= fraction {
      digits = Array(repeating: 0, count: fraction + 1 - digits.count) + digits
    }
    if fraction < precision {
      digits += Array(repeating: 0, count: precision - fraction)
    } else {
      round(&digits, dropping: fraction - precision)
    }
    let text = digits.map(String.init).joined()
    let whole = text.dropLast(precision)
    let sign = value.sign == .minus ? "-" : ""
    return precision == 0 ? sign + whole : "\(sign)\(whole).\(text.suffix(precision))"
  }

  private static func multiply(_ digits: inout [UInt8], by factor: UInt8) {
    var carry: UInt8 = 0
    for index in digits.indices.reversed() {
      let product = digits[index] * factor + carry
      digits[index] = product % 10
      carry = product / 10
    }
    if carry > 0 { digits.insert(carry, at: 0) }
  }

  private static func round(_ digits: inout [UInt8], dropping count: Int) {
    guard count > 0 else { return }
    let dropped = digits.suffix(count)
    digits.removeLast(count)
    let first = dropped.first ?? 0
    let isHalf = first == 5 && dropped.dropFirst().allSatisfy { $0 == 0 }
    guard first > 5 || (first == 5 && !isHalf) || (isHalf && (digits.last ?? 0) % 2 == 1) else {
      return
    }
    for index in digits.indices.reversed() {
      digits[index] += 1
      if digits[index] < 10 { return }
      digits[index] = 0
    }
    digits.insert(1, at: 0)
  }
}
