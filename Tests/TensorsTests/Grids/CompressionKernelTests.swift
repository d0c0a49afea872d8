import CKernels
import Tensors
import Testing

/// What is written to disk must not depend on the processor: all levels agree bit for bit.
struct CompressionKernelTests {
  /// Weights with outliers, ties, zeros and very small numbers.
  static func weights(_ count: Int) -> [Float] {
    var state: UInt32 = 7
    return (0..<count).map { index in
      state = state &* 1_664_525 &+ 1_013_904_223
      let value = (Float(state >> 8) / Float(1 << 24) - 0.5) * 0.1
      switch index % 19 {
      case 3: return value * 30
      case 7: return 0
      case 11: return (value * 40).rounded() / 40
      case 13: return value * 1e-7
      default: return value
      }
    }
  }

  struct Quantized: Equatable {
    var codes: [UInt8]
    var scales: [UInt16]
    var points: [UInt8]
  }

  static func quantized(
    _ level: vk_level, _ settings: vk_quantizer, groups: Int, size: Int,
    importance: [Float]? = nil
  ) -> Quantized {
    var settings = settings
    var result = Quantized(
      codes: Array(repeating: 0, count: groups * size),
      scales: Array(repeating: 0, count: groups), points: Array(repeating: 0, count: groups))
    let weights = weights(groups * size)
    vk_fit_rows(
      level, &settings, weights, importance, groups, groups, size, &result.scales, &result.points)
    let base = -Float(1 << (settings.bits - 1))
    let type: ElementType = settings.scales_are_bfloat == 0 ? .float16 : .bfloat16
    let (scales, zeros) = (type.widened(result.scales), result.points.map { Float($0) + base })
    scales.withUnsafeBufferPointer { scales in
      zeros.withUnsafeBufferPointer { zeros in
        [Float](repeating: 0, count: groups).withUnsafeBufferPointer { minimums in
          var grid = vk_row_grid(
            scales: scales.baseAddress, zeros: zeros.baseAddress, minimums: minimums.baseAddress,
            codebook: nil, groups: groups, group_size: size, lowest: base, highest: -base - 1,
            base: base)
          vk_nearest_row(level, &grid, weights, &result.codes)
        }
      }
    }
    return result
  }

  @Test(arguments: 2...8, [13, 16, 64, 300])
  func codesAreTheSameAtEveryLevel(bits: Int, size: Int) {
    for isSymmetric in [0, 1] as [Int32] {
      for searches in [0, 1] as [Int32] {
        for isBFloat in [0, 1] as [Int32] {
          let settings = vk_quantizer(
            bits: UInt32(bits), is_symmetric: isSymmetric, searches_range: searches,
            scales_are_bfloat: isBFloat)
          for importance in [nil, Self.weights(5 * size).map { $0 * $0 + 0.01 }] {
            func quantized(_ level: vk_level) -> Quantized {
              Self.quantized(level, settings, groups: 5, size: size, importance: importance)
            }
            let expected = quantized(VK_PORTABLE)
            #expect(expected.codes.allSatisfy { Int($0) < 1 << bits })
            for level in testedLevels { #expect(quantized(level) == expected) }
          }
        }
      }
    }
  }

  @Test(arguments: [1, 7, 8, 16, 61, 500])
  func roundingAndPruningAreTheSameAtEveryLevel(count: Int) {
    let values = Self.weights(count)
    func halves(_ level: vk_level) -> [[UInt16]] {
      var (f16, bf16) = ([UInt16](repeating: 0, count: count), [UInt16](repeating: 0, count: count))
      vk_f32_to_f16(level, values, &f16, count)
      vk_f32_to_bf16(level, values, &bf16, count)
      return [f16, bf16]
    }
    func pruned(_ level: vk_level) -> [Float] {
      var values = values
      vk_prune_blocks(level, &values, count, 2, 4)
      return values
    }
    for level in testedLevels {
      #expect(halves(level) == halves(VK_PORTABLE))
      #expect(pruned(level) == pruned(VK_PORTABLE))
    }
  }

  @Test(arguments: [1, 7, 8, 16, 61, 500])
  func sumsAreTheSameAtEveryLevelAndThoseOfTheDefinition(count: Int) {
    let before = Self.weights(count)
    let after = before.enumerated().map { $0 % 5 == 0 ? 0 : $1 * 1.01 }
    func range(_ level: vk_level) -> vk_range {
      var range = vk_range()
      vk_measure(level, before, count, &range)
      return range
    }
    func comparison(_ level: vk_level) -> vk_comparison {
      var sums = vk_comparison()
      vk_compare(level, before, after, count, &sums)
      return sums
    }
    for level in testedLevels {
      let (measured, plain) = (range(level), range(VK_PORTABLE))
      #expect(measured.energy == plain.energy && measured.magnitude == plain.magnitude)
      #expect(measured.minimum == before.min() && measured.maximum == before.max())
      let (compared, expected) = (comparison(level), comparison(VK_PORTABLE))
      #expect(compared.noise == expected.noise && compared.product == expected.product)
      #expect(compared.signal == expected.signal && compared.result == expected.result)
      #expect(compared.zeros == after.count { $0 == 0 })
      #expect(compared.largest_error == zip(before, after).map { abs($0 - $1) }.max())
    }
    let noise = zip(before, after).reduce(0) { sum, pair in
      sum + (Double(pair.1) - Double(pair.0)) * (Double(pair.1) - Double(pair.0))
    }
    let energy = before.reduce(0) { $0 + Double($1) * Double($1) }
    #expect(abs(comparison(VK_PORTABLE).noise - noise) <= 1e-12 * noise)
    #expect(abs(range(VK_PORTABLE).energy - energy) <= 1e-12 * energy)
  }

  /// Against counting one by one, with values that are no numbers, on edges, and beyond them.
  @Test(arguments: [1, 3, 63, 64, 65, 200])
  func binsAreCountedAlikeAtEveryLevel(count: Int) {
    var after = Self.weights(count)
    after[0] = .nan
    if count > 4 { after.replaceSubrange(1..<4, with: [.infinity, -1, 1]) }
    let before = Self.weights(count).map { -0.5 * $0 }
    for (values, less) in [(after, [Float]?.none), (after, before)] {
      let differences = less.map { zip(after, $0).map { $0 - $1 } } ?? after
      var expected = Histogram(lower: -1, upper: 1, bins: 10)
      expected.add(differences)
      for level in testedLevels {
        var counts = [UInt32](repeating: 0, count: 4 * 11)
        vk_count_bins(level, values, less, count, -1, 5, 10, &counts)
        let sums = (0..<11).map { bin in (0..<4).reduce(0) { $0 + Int(counts[$1 * 11 + bin]) } }
        #expect(Array(sums[..<10]) == expected.counts)
        #expect(sums[10] == count - expected.total)
      }
    }
  }

  @Test func momentsAreSumsOverRowsInTheirOrder() {
    let (rows, columns) = (5, 37)
    let values = Self.weights(rows * columns)
    var expected = MomentSums(columns: columns)
    for row in 0..<rows {
      expected.add(
        Matrix(
          rows: 1, columns: columns, values: Array(values[row * columns..<(row + 1) * columns])))
    }
    for level in testedLevels {
      var sums = [Double](repeating: 0, count: columns)
      var squares = sums
      vk_add_moments(level, values, rows, columns, &sums, &squares)
      #expect(sums == expected.sums && squares == expected.squares)
    }
    for column in 0..<columns {
      let own = (0..<rows).map { Double(values[$0 * columns + column]) }
      #expect(expected.sums[column] == own.reduce(0, +))
      #expect(expected.squares[column] == own.reduce(0) { $0 + $1 * $1 })
    }
  }
}
