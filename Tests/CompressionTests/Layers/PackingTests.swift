@testable import Compression
import Tensors
import TestSupport
import Testing

struct PackingTests {
  /// What compressed-tensors packs (Tests/Oracles/record_packing.py).
  struct RecordedCase: Decodable {
    let bits: Int
    let codes: [[UInt8]]
    let alongRows: [[UInt32]]
    let downColumns: [[UInt32]]
  }

  @Test func packsAsCompressedTensorsDoes() throws {
    for recorded in try fixture("packing.json", as: [RecordedCase].self) {
      let (rows, columns) = (recorded.codes.count, recorded.codes[0].count)
      let codes = recorded.codes.flatMap(\.self)
      let words = PackedMatrix.pack(codes: codes, rows: rows, columns: columns, bits: recorded.bits)
      #expect(words == recorded.alongRows.flatMap(\.self), "\(recorded.bits) bits")
      // The codes as zero points of groups of one weight: rows x columns of them.
      let matrix = PackedMatrix(
        rows: rows, columns: columns, bits: recorded.bits, groupSize: 1, codes: words,
        scales: Array(repeating: 0, count: codes.count), scaleType: .float16, zeros: .points(codes))
      #expect(matrix.packedZeroPoints() == recorded.downColumns.flatMap(\.self))
    }
  }

  @Test(arguments: 1...8)
  func unpacksWhatItPacked(bits: Int) {
    var random = SeededRandom(seed: UInt64(bits))
    for columns in 1...70 {
      let codes = (0..<3 * columns).map { _ in
        UInt8.random(in: 0...UInt8((1 << bits) - 1), using: &random)
      }
      let words = PackedMatrix.pack(codes: codes, rows: 3, columns: columns, bits: bits)
      #expect(words.count == 3 * ((columns * bits + 31) / 32))
      #expect(
        PackedMatrix.unpack(words: words, rows: 3, columns: columns, bits: bits) == codes)
    }
  }

  @Test func symmetricMatricesHaveNoZeroPoints() {
    let matrix = PackedMatrix(
      quantizing: Matrix(rows: 2, columns: 16), bits: 4, groupSize: 16, isSymmetric: true,
      searchesRange: false, scaleType: .bfloat16)
    #expect(matrix.packedZeroPoints() == nil)
  }
}
