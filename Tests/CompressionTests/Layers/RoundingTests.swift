import Tensors
import Testing

struct RoundingTests {
  @Test func roundsToHalfPrecision() {
    let type = ElementType.float16
    // Every half, finite and positive or negative, is itself.
    let all = (0..<0x7c00 as Range<UInt16>).flatMap { [$0, $0 | 0x8000] }
    #expect(type.rounded(type.widened(all)) == all)
    // Halfway between two halves the even one is taken, anywhere else the nearer one.
    for bits in stride(from: UInt16(0), to: 0x7bff, by: 7) {
      let (low, high) = (type.widened([bits])[0], type.widened([bits + 1])[0])
      let middle = (low + high) / 2
      let even = bits % 2 == 0 ? bits : bits + 1
      #expect(type.rounded([middle, middle.nextDown, middle.nextUp]) == [even, bits, bits + 1])
    }
    #expect(type.rounded([65519, 65520, 1e30, -1e30]) == [0x7bff, 0x7bff, 0x7bff, 0xfbff])
    #expect(type.rounded([1e-9, -1e-9]) == [0, 0x8000])
  }

  @Test func roundsToBFloat16() {
    let type = ElementType.bfloat16
    let all = (0..<0x7f80 as Range<UInt16>).flatMap { [$0, $0 | 0x8000] }
    #expect(type.rounded(type.widened(all)) == all)
    for bits in stride(from: UInt16(0x80), to: 0x7f7f, by: 7) {
      let (low, high) = (type.widened([bits])[0], type.widened([bits + 1])[0])
      let middle = low / 2 + high / 2
      let even = bits % 2 == 0 ? bits : bits + 1
      #expect(type.rounded([middle, middle.nextDown, middle.nextUp]) == [even, bits, bits + 1])
    }
    #expect(type.rounded([.greatestFiniteMagnitude]) == [0x7f7f])
  }
}
