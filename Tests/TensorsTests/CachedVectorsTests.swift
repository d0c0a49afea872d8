import CKernels
import Testing

@testable import Tensors

/// Keys and values as they are cached, against what the types promise, at every level.
struct CachedVectorsTests {
  /// Sizes with and without a group of 32 that is not whole, and an odd one.
  private static let sizes = [1, 2, 15, 16, 31, 32, 33, 34, 64, 80, 128]

  private func written(
    _ level: vk_level, _ type: CacheType, _ values: [Float], size: Int
  ) -> (bytes: [UInt8], values: [Float]) {
    let heads = values.count / size
    let bytes = type.bytes(ofHead: size)
    var cached = [UInt8](repeating: 0xA5, count: heads * bytes)
    vk_cache_write(level, type.kernelType, values, heads, size, &cached)
    var found = [Float](repeating: .nan, count: values.count)
    vk_cache_read(level, type.kernelType, cached, bytes, heads, size, &found)
    return (cached, found)
  }

  @Test(arguments: sizes) func f32IsExact(size: Int) {
    var noise = Noise(seed: size)
    let values = noise.values(3 * size)
    for level in testedLevels {
      #expect(written(level, .f32, values, size: size).values == values)
    }
  }

  /// Swift's own conversion is the judge; subnormal numbers and halves between two numbers are among these.
  @Test(arguments: sizes) func f16IsTheNearest(size: Int) {
    var noise = Noise(seed: size)
    let values = noise.values(4 * size).enumerated().map { place, value in
      place.isMultiple(of: 3) ? value * 0x1p-15 : place.isMultiple(of: 7) ? 1 + 0x1p-11 : value
    }
    for level in testedLevels {
      let found = written(level, .f16, values, size: size)
      #expect(found.values == values.map { Float(Float16($0)) }, "\(level)")
      #expect(found.bytes.count == 8 * size)
    }
  }

  @Test(arguments: sizes) func int8IsWithinHalfAStep(size: Int) {
    var noise = Noise(seed: size)
    let values = noise.values(5 * size).map { $0 * 40 }
    var first: [UInt8]?
    for level in testedLevels {
      let found = written(level, .int8, values, size: size)
      #expect(found.bytes == first ?? found.bytes, "levels write the same")
      first = found.bytes
      #expect(found.bytes.count == 5 * ((size + (size + 31) / 32 * 2 + 1) / 2 * 2))
      for place in values.indices {
        let head = place / size * size
        let start = head + (place - head) / 32 * 32
        let group = values[start..<min(start + 32, head + size)]
        // Scales in F16 are off by up to 2^-11, by which the largest value may be cut as well.
        let step = (group.map { abs($0) }.max() ?? 0) / 127
        #expect(abs(found.values[place] - values[place]) <= step * 0.57, "\(level)")
      }
    }
  }

  @Test(arguments: CacheType.allCases) func finiteStaysFinite(type: CacheType) {
    for level in testedLevels {
      for large: Float in [65504, 65519.99, 65520, 1e6, 3e38] {
        let found = written(level, type, [large, -large, 1, 0], size: 4).values
        #expect(found.allSatisfy { $0.isFinite } && found[0] > 60000 && found[1] == -found[0])
      }
      for small: Float in [0, 0x1p-149, 1e-30, 1e-7] {
        let found = written(level, type, [small, -small, 0, small], size: 4).values
        #expect(found.allSatisfy { abs($0) <= max(small, 0x1p-23) }, "\(level)")
      }
    }
  }

  /// Sums of sizes below, near and above the largest finite number.
  @Test(arguments: [1e36, 1e37, 1.06e37, 1e38, Float.greatestFiniteMagnitude])
  func groupsOfLargeValuesStayFinite(value: Float) {
    for level in testedLevels {
      let found = written(level, .int8, [Float](repeating: value, count: 32), size: 32).values
      #expect(found.allSatisfy { $0.isFinite && $0 > 60000 }, "\(level)")
    }
  }

  @Test(arguments: CacheType.allCases, [Float.nan, .infinity, -.infinity])
  func whatIsNotFiniteIsFound(type: CacheType, value: Float) {
    for level in testedLevels {
      for place in [0, 31, 32, 39] {
        var values = [Float](repeating: 1, count: 40)
        values[place] = value
        #expect(!written(level, type, values, size: 40).values[place].isFinite, "\(level)")
      }
    }
  }

  @Test(arguments: CacheType.allCases) func isCutBack(type: CacheType) {
    var noise = Noise(seed: 5)
    let rows = Matrix(rows: 7, columns: 2 * 33 + 4, values: noise.values(7 * 70))
    var all = CachedVectors(type: type, heads: 2, headSize: 33)
    all.append(rows, column: 4)
    var parts = CachedVectors(type: type, heads: 2, headSize: 33)
    parts.append(rows, column: 4)
    parts.truncate(to: 3)
    parts.truncate(to: 5)
    #expect(parts.count == 3 && parts.byteCount == 3 * 2 * type.bytes(ofHead: 33))
    parts.append(
      Matrix(rows: 4, columns: 70, values: Array(rows.values.suffix(4 * 70))), column: 4)
    #expect(parts.values == all.values && parts.bytes == all.bytes)
    parts.truncate(to: -1)
    #expect(parts.count == 0 && parts.byteCount == 0)
  }
}
