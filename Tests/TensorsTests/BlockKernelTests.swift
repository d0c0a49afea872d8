import CKernels
import Testing

@testable import Tensors

/// The decoders of GGUF's block types at every level, against the portable ones, which recorded vectors check.
struct BlockKernelTests {
  static let types = ElementType.allCases.filter { $0.isDecodable && $0.isQuantized }

  @Test(arguments: types)
  func decodingIsTheSameAtEveryLevel(type: ElementType) throws {
    guard case .blocks(let kernel) = type.format.decoding else { return }
    var noise = Noise(seed: type.bytesPerBlock)
    for blocks in [1, 2, 7] {
      let bytes = noise.bytes(blocks * type.bytesPerBlock)
      let decoded = testedLevels.map { level in
        var values = [Float](repeating: .nan, count: blocks * type.blockSize)
        vk_decode_blocks(level, kernel, bytes, &values, blocks)
        // Random scales may be NaN, whose bits no format fixes.
        return values.map { $0.isNaN ? Float.nan.bitPattern : $0.bitPattern }
      }
      for values in decoded { #expect(values == decoded[0]) }
    }
  }

  /// Sizes by the formats' definitions: ggml's `GGML_QUANT_SIZES` in the gguf package, which has no Q2_0.
  @Test func rowsHaveTheFormatsSizes() {
    let sizes: [ElementType: (Int, Int)] = [
      .q4_0: (32, 18), .q4_1: (32, 20), .q5_0: (32, 22), .q5_1: (32, 24), .q8_0: (32, 34),
      .q2_K: (256, 84), .q3_K: (256, 110), .q4_K: (256, 144), .q5_K: (256, 176),
      .q6_K: (256, 210), .iq4_nl: (32, 18), .iq4_xs: (256, 136), .iq3_xxs: (256, 98),
      .iq3_s: (256, 110), .iq2_xxs: (256, 66), .iq2_xs: (256, 74), .iq2_s: (256, 82),
      .iq1_s: (256, 50), .iq1_m: (256, 56), .tq1_0: (256, 54), .tq2_0: (256, 66),
      .q1_0: (128, 18), .q2_0: (64, 18), .mxfp4: (32, 17), .nvfp4: (64, 36),
    ]
    #expect(Set(sizes.keys) == Set(Self.types))
    for (type, size) in sizes {
      #expect((type.blockSize, type.bytesPerBlock) == size, "\(type.rawValue)")
      #expect(type.blockSize % type.format.groupSize == 0, "\(type.rawValue)")
    }
  }
}
