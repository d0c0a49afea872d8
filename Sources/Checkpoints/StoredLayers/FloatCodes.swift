/// What the codes of small floats stand for (OCP Microscaling Formats 1.0).
enum FloatCodes {
  /// E2M1: a sign, two bits of exponent, one of fraction.
  static let e2m1: [Float] = {
    let magnitudes: [Float] = [0, 0.5, 1, 1.5, 2, 3, 4, 6]
    return magnitudes + magnitudes.map { -$0 }
  }()

  /// E4M3: a sign, four bits of exponent with a bias of 7, three of fraction; no infinities.
  static let e4m3: [Float] = (0..<256).map { code in
    let (exponent, fraction) = (code >> 3 & 0xf, Float(code & 7))
    let magnitude: Float =
      switch (exponent, code & 7) {
      case (0xf, 7): .nan
      case (0, _): fraction * 0x1p-9
      default: Float(sign: .plus, exponent: exponent - 7, significand: 1 + fraction / 8)
      }
    return code & 0x80 == 0 ? magnitude : -magnitude
  }

  /// E8M0: an exponent with a bias of 127, and no more.
  static func powerOfTwo(_ code: UInt8) -> Float {
    Float(sign: .plus, exponent: Int(code) - 127, significand: 1)
  }
}
