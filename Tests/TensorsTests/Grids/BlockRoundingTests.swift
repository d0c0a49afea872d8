import CKernels
import Testing

@testable import Tensors

/// Rounding in one go, against the grid's own steps: ranges, nearest codes, blocks.
struct BlockRoundingTests {
  static let types = QuantizationGridTests.types
  static let sources: [ElementType] = [.float32, .float16, .bfloat16]

  /// Rows of a plain type; a block of zeros, equal magnitudes of both signs, and a large value are among them.
  static func stored(
    _ type: ElementType, rows: Int, columns: Int, order: RowOrder = .plain
  ) -> StoredMatrix {
    var values = QuantizationGridTests.weights(rows: rows, columns: columns, seed: rows).values
    for index in 0..<min(columns, 64) {
      values[(rows - 1) * columns + index] = index % 3 == 0 ? -0.5 : 0.5
    }
    values[rows * columns - 1] = 300
    let bytes =
      type == .float32
      ? values.withUnsafeBytes { Array($0) }
      : type.rounded(values).withUnsafeBytes { Array($0) }
    let storage = ByteStorage(copying: bytes)
    guard
      let matrix = StoredMatrix(
        storage: storage, offset: 0, type: type, rows: rows, columns: columns, rowOrder: order)
    else { preconditionFailure("the bytes are those of the matrix") }
    return matrix
  }

  static func rounded(
    _ matrix: StoredMatrix, rows: Range<Int>, in order: RowOrder = .plain, to type: ElementType,
    fit: RangeFit
  ) -> [UInt8]? {
    var bytes: [UInt8] = [1, 2, 3]
    let isDone = matrix.round(storedRows: rows, in: order, to: type, fit: fit, into: &bytes)
    return isDone ? bytes : nil
  }

  @Test(arguments: types, sources)
  func roundingIsThatOfTheGrid(type: ElementType, source: ElementType) {
    for (rows, blocks) in [(3, 1), (2, 3), (5, 18), (40, 2)] {
      let matrix = Self.stored(source, rows: rows, columns: blocks * type.blockSize)
      for fit in [RangeFit.extremes, .leastError] {
        let decoded = matrix.decoded()
        let grid = QuantizationGrid(fitting: decoded, type: type, fit: fit)
        guard case .stored(let expected) = grid.storage(of: grid.nearest(decoded)) else {
          Issue.record("blocks are stored")
          return
        }
        let whole = Self.rounded(matrix, rows: 0..<rows, to: type, fit: fit)
        #expect(whole == expected.bytes)
        let part = Self.rounded(matrix, rows: 1..<2, to: type, fit: fit)
        #expect(part == Array(expected.bytes[expected.bytesPerRow..<2 * expected.bytesPerRow]))
      }
    }
  }

  /// As the rows of a checkpoint's q_proj become those of llama.cpp's, and back.
  @Test func rowsComeInTheOrderThatIsAskedFor() {
    let orders: [RowOrder] = [.plain, .interleavedHalves(heads: 2)]
    for held in orders {
      for asked in orders {
        let matrix = Self.stored(.float16, rows: 16, columns: 64, order: held)
        let decoded = matrix.decoded()
        let grid = QuantizationGrid(fitting: decoded, type: .q4_0, fit: .extremes)
        guard case .stored(let expected) = grid.storage(of: grid.nearest(decoded)) else { continue }
        #expect(
          Self.rounded(matrix, rows: 0..<16, in: asked, to: .q4_0, fit: .extremes)
            == expected.bytes(in: asked))
      }
    }
    let order = RowOrder.interleavedHalves(heads: 3)
    #expect(
      (0..<24).map { order.row(stored: order.storedRow($0, of: 24), of: 24) } == Array(0..<24))
  }

  @Test(arguments: types)
  func everyLevelRoundsAlike(type: ElementType) throws {
    let kernel = try #require(type.kernelBlock)
    let matrix = Self.stored(.bfloat16, rows: 7, columns: 3 * type.blockSize)
    let results = testedLevels.flatMap { level in
      [Int32(0), 1].map { searches in
        var bytes = [UInt8](repeating: 0, count: 21 * type.bytesPerBlock)
        let isDone = vk_round_blocks(level, kernel, searches, VK_BF16, matrix.bytes, 21, &bytes)
        #expect(isDone == 1)
        return (searches, bytes)
      }
    }
    for (searches, bytes) in results { #expect(bytes == results[Int(searches)].1) }
  }

  /// Wherever it is: first, last, in a row's middle.
  @Test(arguments: [0, 95, 31, 64, 5 * 96 - 1], [Float.nan, .infinity, -.infinity])
  func nothingIsMadeOfWhatIsNoNumber(place: Int, value: Float) {
    for source in Self.sources {
      var values = [Float](repeating: 0.25, count: 5 * 96)
      values[place] = value
      let bytes =
        switch source {
        case .float32: values.withUnsafeBytes { Array($0) }
        case .float16: values.map { Float16($0) }.withUnsafeBytes { Array($0) }
        default: values.map { UInt16($0.bitPattern >> 16) }.withUnsafeBytes { Array($0) }
        }
      let matrix = StoredMatrix(copying: bytes, type: source, rows: 5, columns: 96)
      #expect(Self.rounded(matrix, rows: 0..<5, to: .q4_0, fit: .extremes) == nil)
      let row = place / 96
      let others = (0..<5).filter { $0 != row }
      #expect(
        others.allSatisfy {
          Self.rounded(matrix, rows: $0..<$0 + 1, to: .q4_0, fit: .extremes) != nil
        })
    }
  }
}
