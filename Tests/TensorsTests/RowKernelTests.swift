import CKernels
import Testing

@testable import Tensors

/// Every variant of the products with stored rows against double precision.
struct RowKernelTests {
  @Test(arguments: [ElementType.float32, .float16, .bfloat16])
  func productsAgreeAtEveryLevel(type: ElementType) throws {
    for columns in [1, 7, 15, 16, 17, 33, 64, 100, 576] {
      let rows = 11
      var noise = Noise(seed: columns)
      let x = noise.values(3 * columns)
      let matrix = try Self.matrix(noise.values(rows * columns), type, rows, columns, .plain)
      for level in testedLevels {
        for count in [1, 3, 4, 9] {
          var found = [Float](repeating: .nan, count: 3 * count)
          matrix.withKernelView { view in
            var view = view
            vk_rows_times(level, &view, 2, count, x, columns, 3, &found, count)
          }
          for token in 0..<3 {
            for row in 0..<count {
              let (value, magnitude) = product(
                matrix.decoded(rows: [row + 2]).values, x[token * columns..<(token + 1) * columns])
              #expect(
                abs(Double(found[token * count + row]) - value) <= 1e-6 * magnitude,
                "\(level) \(columns) columns, row \(row)")
            }
          }
        }
      }
    }
  }

  @Test(arguments: [ElementType.float32, .float16, .bfloat16])
  func decodingIsExactAtEveryLevel(type: ElementType) throws {
    for columns in [1, 16, 37] {
      var noise = Noise(seed: columns)
      let matrix = try Self.matrix(
        noise.values(8 * columns), type, 8, columns, .interleavedHalves(heads: 2))
      for level in testedLevels {
        var found = [Float](repeating: .nan, count: 5 * columns)
        matrix.withKernelView { view in
          var view = view
          vk_rows_decode(level, &view, 2, 5, &found)
        }
        #expect(found == matrix.decoded(rows: 2..<7).values)
      }
    }
  }

  @Test func everyHalfIsWidenedExactly() {
    let all = (0...UInt16.max).filter { !Float16(bitPattern: $0).isNaN }
    let bytes = all.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
    for level in testedLevels {
      var found = [Float](repeating: .nan, count: all.count)
      vk_f16_to_f32(level, bytes, &found, all.count)
      #expect(found.map(\.bitPattern) == all.map { Float(Float16(bitPattern: $0)).bitPattern })
    }
  }

  @Test func interleavedHeadsComeOutInTheLayersOrder() throws {
    var noise = Noise(seed: 1)
    let (rows, columns) = (24, 20)
    let x = noise.values(columns)
    let matrix = try Self.matrix(
      noise.values(rows * columns), .float16, rows, columns, .interleavedHalves(heads: 3))
    for level in testedLevels {
      var found = [Float](repeating: .nan, count: rows)
      matrix.withKernelView { view in
        var view = view
        vk_rows_times(level, &view, 0, rows, x, columns, 1, &found, rows)
      }
      for row in 0..<rows {
        let (value, magnitude) = product(matrix.decoded(rows: [row]).values, x)
        #expect(abs(Double(found[row]) - value) <= 1e-6 * magnitude)
      }
    }
    // Stored rows 0, 1, 2 ... of a head of eight are rows 0, 4, 1, 5 ... of the layer.
    let plain = try #require(
      StoredMatrix(
        storage: matrix.storage, offset: matrix.offset, type: .float16, rows: rows,
        columns: columns))
    #expect(matrix.decoded(rows: [4]) == plain.decoded(rows: [1]))
    #expect(matrix.decoded(rows: [9]) == plain.decoded(rows: [10]))
  }

  /// A matrix that starts at an odd address.
  static func matrix(
    _ values: [Float], _ type: ElementType, _ rows: Int, _ columns: Int, _ order: RowOrder
  ) throws -> StoredMatrix {
    let bytes: [UInt8] =
      type == .float32
      ? values.withUnsafeBytes { Array($0) } : values.halves(type).withUnsafeBytes { Array($0) }
    return try #require(
      StoredMatrix(
        storage: ByteStorage(copying: [0] + bytes), offset: 1, type: type, rows: rows,
        columns: columns, rowOrder: order))
  }
}
