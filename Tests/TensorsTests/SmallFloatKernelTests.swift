import CKernels
import Testing

@testable import Tensors

/// Kernels of small floats at every level, and against the definition of their codes.
struct SmallFloatKernelTests {
  private static func row(_ format: vk_float_format, columns: Int) -> vk_float_row {
    vk_float_row(format: format, is_bfloat: 1, divisor: 256, columns: columns, group: columns)
  }

  /// What codes of E4M3 stand for, by the definition; nil for NaN.
  private static func e4m3(_ code: Int) -> Float? {
    let (exponent, fraction) = (code >> 3 & 0xf, Float(code & 7) / 8)
    if code & 0x7f == 0x7f { return nil }
    let magnitude =
      exponent == 0
      ? fraction * 0x1p-6
      : Float(sign: .plus, exponent: exponent - 7, significand: 1 + fraction)
    return code & 0x80 == 0 ? magnitude : -magnitude
  }

  @Test func everyCodeOfE4M3DecodesAndRoundsToItself() {
    let codes = (0..<256).filter { Self.e4m3($0) != nil }
    var row = Self.row(VK_FP8, columns: codes.count)
    let one: [UInt16] = [0x3f80]
    for level in testedLevels {
      var weights = [Float](repeating: 0, count: codes.count)
      vk_decode_floats(level, &row, codes.map { UInt8($0) }, one, &weights)
      #expect(weights == codes.map { Self.e4m3($0) ?? 0 })
      var rounded = [UInt8](repeating: 0, count: codes.count)
      vk_nearest_floats(level, &row, one, weights, &rounded)
      #expect(rounded == codes.map { UInt8($0) })
    }
  }

  @Test func valuesBetweenCodesGoToTheNearestHalfToEven() {
    let codes = Array(0..<0x7e)
    var row = Self.row(VK_FP8, columns: 3 * codes.count)
    let weights = codes.flatMap { code -> [Float] in
      let (low, high) = (Self.e4m3(code) ?? 0, Self.e4m3(code + 1) ?? 0)
      let middle = (low + high) / 2
      return [middle.nextDown, middle, middle.nextUp]
    }
    let expected = codes.flatMap { [$0, $0 % 2 == 0 ? $0 : $0 + 1, $0 + 1].map { UInt8($0) } }
    for level in testedLevels {
      for sign: Float in [1, -1] {
        var rounded = [UInt8](repeating: 0, count: weights.count)
        vk_nearest_floats(level, &row, [0x3f80], weights.map { $0 * sign }, &rounded)
        #expect(rounded.map { $0 & 0x7f } == expected)
        #expect(rounded.allSatisfy { $0 >> 7 == (sign < 0 ? 1 : 0) })
      }
    }
  }

  @Test(arguments: [VK_NVFP4.rawValue, VK_MXFP4.rawValue], [0, 1] as [Int32])
  func levelsAgree(format: UInt32, searches: Int32) {
    var noise = Noise(seed: 5)
    let weights = noise.values(96)
    var row = Self.row(vk_float_format(format), columns: 96)
    row.group = format == VK_NVFP4.rawValue ? 16 : 32
    let groups = 96 / row.group
    var results: [[Float]] = []
    for level in testedLevels {
      var scales = [UInt16](repeating: 0, count: groups)
      vk_fit_floats(level, &row, searches, weights, nil, nil, &scales)
      var codes = [UInt8](repeating: 0, count: 48)
      vk_nearest_floats(level, &row, scales, weights, &codes)
      var decoded = [Float](repeating: 0, count: 96)
      vk_decode_floats(level, &row, codes, scales, &decoded)
      results.append(decoded)
    }
    #expect(results.allSatisfy { $0 == results[0] })
    let largest = weights.reduce(0) { max($0, abs($1)) }
    #expect(zip(results[0], weights).allSatisfy { abs($0 - $1) <= largest / 4 })
  }
}
