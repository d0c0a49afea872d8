import Tensors
import Testing

/// Rows and columns of stored matrices, copied out.
struct SelectingTests {
  private static let rows = [39, 0, 7, 8, 16]
  private static let columns = [63, 1, 2, 40, 95]

  private static func picked(
    _ whole: Matrix, _ rows: [Int]?, _ columns: [Int]?
  ) -> [Float] {
    (rows ?? Array(0..<whole.rows)).flatMap { row in
      (columns ?? Array(0..<whole.columns)).map { whole[row, $0] }
    }
  }

  @Test(arguments: [ElementType.float32, .float16, .bfloat16], [true, false])
  func plainElementsKeepTheirBytes(type: ElementType, isInterleaved: Bool) throws {
    var noise = Noise(seed: 4)
    let matrix = try RowKernelTests.matrix(
      noise.values(40 * 96), type, 40, 96, isInterleaved ? .interleavedHalves(heads: 4) : .plain)
    let whole = matrix.decoded()
    for (rows, columns) in [(Self.rows, nil), (nil, Self.columns), (Self.rows, Self.columns)] {
      let found = matrix.selecting(rows: rows, columns: columns)
      #expect(found.type == type && found.rowOrder == .plain)
      #expect(found.rows == rows?.count ?? 40 && found.columns == columns?.count ?? 96)
      #expect(found.decoded().values == Self.picked(whole, rows, columns))
    }
  }

  @Test(arguments: [nil, 5])
  func rowsOfBlocksKeepTheirBytesAndColumnsBecomeHalves(heads: Int?) throws {
    let matrix = try BlockSample.matrix(.q4_1, rows: 40, columns: 96, heads: heads)
    let whole = matrix.decoded()
    let rows = matrix.selecting(rows: Self.rows, columns: nil)
    #expect(rows.type == .q4_1)
    #expect(rows.decoded().values == Self.picked(whole, Self.rows, nil))
    let columns = matrix.selecting(rows: nil, columns: Self.columns)
    #expect(columns.type == .float16)
    let halves = ElementType.float16.rounded(Self.picked(whole, nil, Self.columns))
    #expect(columns.decoded().values == ElementType.float16.widened(halves))
  }
}
