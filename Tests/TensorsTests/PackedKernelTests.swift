import CKernels
import Tensors
import Testing

@testable import Tensors

/// Every variant of the packed kernels against the definition of a packed matrix.
struct PackedKernelTests {
  /// Columns and group sizes: nested with blocks of 64 or not, whole words or not, and odd ones.
  static let shapes = [
    (64, 64), (576, 64), (576, 576), (96, 32), (160, 32), (48, 16), (200, 8), (68, 4), (192, 96),
    (256, 128), (36, 12), (35, 5), (7, 7), (1, 1), (1100, 4),
  ]

  @Test(arguments: 1...8, ZeroKind.allCases)
  func decodingIsExactAtEveryLevel(bits: Int, zeros: ZeroKind) {
    for (columns, group) in Self.shapes {
      let type: ElementType = columns % 3 == 0 ? .bfloat16 : .float16
      let sample = PackedSample(
        rows: 3, columns: columns, bits: bits, group: group, zeros: zeros, scaleType: type)
      let expected = (0..<3).flatMap { sample.decoded(row: $0) }
      for level in testedLevels {
        var found = [Float](repeating: .nan, count: 3 * columns)
        var scratch = [UInt8](repeating: 0, count: vk_packed_scratch(columns))
        sample.matrix.withKernelView { view in
          var view = view
          vk_packed_decode(level, &view, 0, 3, &scratch, &found)
        }
        #expect(
          found.map(\.bitPattern) == expected.map(\.bitPattern), "\(level) \(columns) \(group)")
      }
      #expect(sample.matrix.decoded().values == expected)
      #expect(sample.matrix.decoded(rows: [2, 0, 2]).row(1).elementsEqual(expected[..<columns]))
    }
  }

  @Test(arguments: 1...8, ZeroKind.allCases)
  func productsAreThoseOfTheDecodedRows(bits: Int, zeros: ZeroKind) {
    for (columns, group) in Self.shapes {
      let sample = PackedSample(rows: 5, columns: columns, bits: bits, group: group, zeros: zeros)
      var noise = Noise(seed: columns)
      // An outlier, as real activations have, and a block that is all but zero.
      var x = noise.values(3 * columns)
      x[columns / 2] *= 300
      for place in 0..<min(columns, 64) { x[columns + place] *= 1e-36 }
      for level in testedLevels {
        let found = Self.products(sample.matrix, x, tokens: 3, level)
        for token in 0..<3 {
          for row in 1..<5 {
            let decoded = sample.decoded(row: row)
            let (value, _) = product(decoded, x[token * columns..<(token + 1) * columns])
            // Rounding errors grow with what codes, not weights, amount to.
            let scale = zip(
              sample.codeMagnitudes(row: row), x[token * columns..<(token + 1) * columns]
            ).reduce(0) { $0 + $1.0 * abs(Double($1.1)) }
            #expect(
              abs(Double(found[token * 4 + row - 1]) - value) <= 3e-6 * scale + 1e-32,
              "\(level) \(columns) \(group) row \(row) token \(token)")
          }
        }
      }
    }
  }

  /// Rows 1 to 4 times each vector.
  private static func products(
    _ matrix: PackedMatrix, _ x: [Float], tokens: Int, _ level: vk_level
  ) -> [Float] {
    var found = [Float](repeating: .nan, count: tokens * 4)
    var sums: [Float] = []
    for token in 0..<tokens {
      var some = [Float](repeating: .nan, count: matrix.groupsPerRow)
      let vector = Array(x[token * matrix.columns..<(token + 1) * matrix.columns])
      vk_group_sums(level, vector, matrix.columns, matrix.groupSize, &some)
      sums += some
    }
    var scratch = [UInt8](repeating: 0, count: vk_packed_scratch(matrix.columns))
    matrix.withKernelView { view in
      var view = view
      vk_packed_times(level, &view, 1, 4, x, sums, tokens, &scratch, &found, 4)
    }
    return found
  }
}
