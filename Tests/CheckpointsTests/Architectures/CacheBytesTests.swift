import Tensors
import Testing

@testable import Checkpoints

/// What a token's keys and values take, against the definition of each type.
struct CacheBytesTests {
  @Test(arguments: [(1, 64), (3, 80), (8, 128), (2, 33)])
  func headsAddUp(heads: Int, size: Int) {
    let attention = AttentionFacts(
      headCount: heads * 2, keyValueHeadCount: heads, headSize: size, scale: 1,
      queryKeyNorm: .none, isFused: false)
    #expect(attention.cacheBytes(as: .f32) == 2 * heads * size * 4)
    #expect(attention.cacheBytes(as: .f16) == 2 * heads * size * 2)
    let scales = (size + 31) / 32 * 2
    let odd = size % 2
    #expect(attention.cacheBytes(as: .int8) == 2 * heads * (size + scales + odd))
  }
}
