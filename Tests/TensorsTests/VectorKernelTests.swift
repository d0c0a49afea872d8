import CKernels
import Foundation
import Testing

@testable import Tensors

/// Every variant of the operations on vectors against double precision.
struct VectorKernelTests {
  static let sizes = [1, 2, 15, 16, 31, 64, 100, 576]

  @Test func rmsNorm() {
    for level in testedLevels {
      for size in Self.sizes {
        var noise = Noise(seed: size)
        let (x, weight) = (noise.values(size), noise.values(size))
        var found = [Float](repeating: .nan, count: size)
        vk_rms_norm(level, x, weight, size, 1e-5, &found)
        let mean = x.map { Double($0) * Double($0) }.reduce(0, +) / Double(size)
        for place in 0..<size {
          let expected = Double(x[place]) / (mean + 1e-5).squareRoot() * Double(weight[place])
          #expect(abs(Double(found[place]) - expected) <= 1e-6 * abs(expected), "\(level)")
        }
      }
    }
  }

  @Test func sumsOfGroupsAndVectors() {
    for level in testedLevels {
      var noise = Noise(seed: 9)
      let x = noise.values(96)
      for group in [1, 3, 16, 32, 96] {
        var sums = [Float](repeating: .nan, count: 96 / group)
        vk_group_sums(level, x, 96, group, &sums)
        for place in sums.indices {
          let expected = x[place * group..<(place + 1) * group].map(Double.init).reduce(0, +)
          #expect(abs(Double(sums[place]) - expected) < 1e-5)
        }
      }
      var y = x
      vk_add(level, x, 95, &y)
      #expect(y == x.dropLast().map { $0 * 2 } + [x[95]])
    }
  }

  /// Head sizes that are compiled by themselves and others; values of another size; capped scores and sinks.
  @Test(arguments: [1, 2, 127, 128, 129, 400], [24, 32, 64, 128, 256])
  func attention(positions: Int, size: Int) {
    for type in CacheType.allCases { attention(positions: positions, size: size, type) }
  }

  private func attention(positions: Int, size: Int, _ type: CacheType) {
    let width = size + 36
    for (valueSize, softcap, sink) in [
      (size, 0, -.infinity), (size, 3, 1.5), (size - 5, 0, 40), (size + 1, 3, -.infinity),
    ] as [(Int, Float, Float)] {
      var noise = Noise(seed: positions)
      // Scores far apart make the running maximum move.
      let query = noise.values(size).map { $0 * 12 }
      // What is beside a head is another's, and not to be read.
      func cached(_ size: Int) -> (CachedVectors, floats: [Float]) {
        let rows = Matrix(
          rows: positions, columns: width, values: noise.values(positions * width))
        var vectors = CachedVectors(type: type, heads: 1, headSize: size)
        vectors.append(rows, column: 3)
        return (vectors, vectors.values)
      }
      let (keys, values) = (cached(size), cached(valueSize))
      let scores = (0..<positions).map { position in
        let key = keys.floats[position * size..<(position + 1) * size]
        let score = product(query, Array(key)).value * 0.5
        return softcap > 0 ? Double(softcap) * tanh(score / Double(softcap)) : score
      }
      let most = max(scores.max() ?? 0, Double(sink))
      let weights = scores.map { exp($0 - most) }
      let total = weights.reduce(0, +) + exp(Double(sink) - most)
      var how = vk_attention(
        head_size: size, value_size: valueSize, key_stride: keys.0.stride,
        value_stride: values.0.stride, type: type.kernelType, scale: 0.5, softcap: softcap)
      for level in testedLevels {
        var found = [Float](repeating: .nan, count: valueSize)
        vk_attend(
          level, &how, query, keys.0.bytes, values.0.bytes, positions, sink, &found)
        for place in 0..<valueSize {
          let expected = (0..<positions).map {
            weights[$0] * Double(values.floats[$0 * valueSize + place])
          }.reduce(0, +)
          #expect(abs(Double(found[place]) - expected / total) < 1e-5, "\(level) \(type)")
        }
      }
    }
  }
}

/// What is computed from logits, against double precision.
struct LogitsTests {
  @Test(arguments: [1, 2, 33, 1000, 49_152])
  func logSumExpAndDivergence(size: Int) {
    var noise = Noise(seed: size)
    let a = noise.values(size).map { $0 * 15 - 3 }
    let b = a.map { $0 + noise.value() * 0.1 }
    let expected = (a: Self.logProbabilities(a), b: Self.logProbabilities(b))
    let divergence = zip(expected.a, expected.b).map { exp($0) * ($0 - $1) }.reduce(0, +)
    for level in testedLevels {
      let sums = (vk_log_sum_exp(level, a, size), vk_log_sum_exp(level, b, size))
      #expect(abs(Double(a[0]) - sums.0 - expected.a[0]) < 1e-6)
      let found = vk_divergence(level, a, sums.0, b, sums.1, size)
      #expect(abs(found - divergence) <= 1e-5 * divergence + 1e-9, "\(level)")
      #expect(vk_divergence(level, a, sums.0, a, sums.0, size) == 0)
    }
  }

  @Test func bestIsTheFirstOfEquals() {
    for level in testedLevels {
      var values = [Float](repeating: -7, count: 100)
      #expect(vk_largest(level, values, 100) == 0)
      values[37] = 3
      values[80] = 3
      #expect(vk_largest(level, values, 100) == 37)
      values[99] = 4
      #expect(vk_largest(level, values, 100) == 99)
    }
  }

  @Test func probabilitiesComeFromTheLogSumExp() {
    let logits = Logits([0, 1, 3])
    let total = exp(0.0) + exp(1.0) + exp(3.0)
    #expect(logits.best == 2)
    #expect(abs(logits.logProbability(of: 1) - log(exp(1) / total)) < 1e-7)
  }

  private static func logProbabilities(_ x: [Float]) -> [Double] {
    let most = Double(x.max() ?? 0)
    let sum = log(x.map { exp(Double($0) - most) }.reduce(0, +)) + most
    return x.map { Double($0) - sum }
  }
}
