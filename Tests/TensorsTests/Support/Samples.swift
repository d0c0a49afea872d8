import CKernels
import Tensors

/// Reproducible numbers.
struct Noise {
  private var state: UInt64

  init(seed: Int) { state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func bits() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state &* 0x2545_F491_4F6C_DD1D
  }

  /// In -1..<1.
  mutating func value() -> Float { Float(Int64(bitPattern: bits()) >> 40) / Float(1 << 23) }

  mutating func values(_ count: Int) -> [Float] { (0..<count).map { _ in value() } }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: bits() >> 33) }
  }
}

/// The levels that this processor runs, portable first.
let testedLevels: [vk_level] = [
  VK_PORTABLE, VK_AVX2, VK_AVX2_VNNI, VK_AVX512, VK_NEON_DOT, VK_NEON_I8MM,
].filter { vk_supports($0) != 0 }

extension vk_level: @retroactive CustomStringConvertible {
  public var description: String {
    switch self {
    case VK_AVX512: "AVX-512"
    case VK_AVX2_VNNI: "AVX-VNNI"
    case VK_NEON_DOT: "dotprod"
    case VK_NEON_I8MM: "i8mm"
    case VK_AVX2: "AVX2"
    default: "portable"
    }
  }
}

extension [Float] {
  /// The bits of each value rounded to a 16-bit type.
  func halves(_ type: ElementType) -> [UInt16] {
    map { value in
      type == .bfloat16
        ? UInt16(truncatingIfNeeded: value.bitPattern >> 16) : Float16(value).bitPattern
    }
  }
}

extension UInt16 {
  /// The value whose bits in a 16-bit type these are.
  func value(_ type: ElementType) -> Float {
    type == .bfloat16 ? Float(bitPattern: UInt32(self) << 16) : Float(Float16(bitPattern: self))
  }
}

/// The product of two vectors in double precision, and the sum of its terms' magnitudes.
func product(_ a: [Float], _ b: some Collection<Float>) -> (value: Double, magnitude: Double) {
  var (value, magnitude) = (0.0, 0.0)
  for (x, y) in zip(a, b) {
    value += Double(x) * Double(y)
    magnitude += abs(Double(x) * Double(y))
  }
  return (value, magnitude)
}
