import Compression
import Tensors
import Testing

@testable import Export

/// Weights that are not quantized, written in another type than they are held in.
struct PlainEncodingTests {
  private func bytes(_ values: [Float], as type: ElementType) throws -> [UInt8] {
    let shape = LayerShape(name: "layer", rows: 2, columns: values.count / 2, type: .float32)
    let bytes = values.flatMap { value in
      (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
    }
    let matrix = StoredMatrix(
      copying: bytes, type: .float32, rows: shape.rows, columns: shape.columns)
    let encoding = LayerEncoding(shape: shape, format: nil, plainType: type)
    return try #require(try encoding.encoded(.stored(matrix)).first).bytes
  }

  @Test func valuesAreRounded() throws {
    // 1 + 2^-11 lies between two halves, and goes to the even one.
    #expect(try bytes([1, 1 + 0x1p-11, -2, 0], as: .float16) == [0, 0x3c, 0, 0x3c, 0, 0xc0, 0, 0])
    #expect(
      try bytes([1, 1 + 0x1p-9, -2, 0], as: .bfloat16) == [0x80, 0x3f, 0x80, 0x3f, 0, 0xc0, 0, 0])
    #expect(try bytes([1, -2], as: .float32) == [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0])
  }

  @Test func whatOverflowsIsNamed() {
    let error = #expect(throws: ExportError.self) { try bytes([1, 2, 3, 70_000], as: .float16) }
    #expect(
      error?.description.contains("layer: the weight 70000.0 in row 1, column 1 overflows as F16")
        == true, "\(String(describing: error))")
  }

  @Test(arguments: [
    // The last value that IEEE 754 rounds to the largest finite one, and the next.
    (ElementType.float16, Float(65_520).nextDown, Float(65_520)),
    (.bfloat16, Float(sign: .plus, exponent: 127, significand: 0x1.ffp0).nextDown, 0x1.ffp127),
  ])
  func overflowBeginsHalfAStepAboveTheLargest(type: ElementType, fits: Float, overflows: Float) {
    #expect(type.firstOverflow(in: [0, fits, -fits]) == nil)
    #expect(type.firstOverflow(in: [fits, -overflows]) == 1)
  }
}
