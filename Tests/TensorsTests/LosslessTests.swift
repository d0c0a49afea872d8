import Testing

@testable import Tensors

/// GGUF's blocks, repacked, decode to the very same bits.
struct LosslessTests {
  @Test(arguments: [ElementType.q4_0, .q4_1, .q5_0, .q5_1, .q8_0], [nil, 2])
  func repackedBlocksDecodeToTheSameBits(type: ElementType, heads: Int?) throws {
    let stored = try BlockSample.matrix(type, rows: 12, columns: 96, heads: heads)
    let packed = try #require(PackedMatrix(losslessly: stored))
    #expect(packed.groupSize == 32 && packed.rows == 12 && packed.columns == 96)
    #expect(
      packed.decoded().values.map(\.bitPattern) == stored.decoded().values.map(\.bitPattern))
    let threaded = try #require(PackedMatrix(losslessly: stored, on: WorkerPool(threads: 3)))
    #expect(threaded == packed)
  }

  @Test func otherTypesAreNotRepacked() throws {
    let matrix = try RowKernelTests.matrix([1, 2], .float16, 1, 2, .plain)
    #expect(PackedMatrix(losslessly: matrix) == nil)
  }
}

/// Matrices of GGUF's quantized blocks with random codes.
enum BlockSample {
  static func matrix(
    _ type: ElementType, rows: Int, columns: Int, heads: Int?
  ) throws -> StoredMatrix {
    var noise = Noise(seed: rows)
    var bytes: [UInt8] = []
    for _ in 0..<rows * columns / 32 {
      let header = noise.values(2).halves(.float16).flatMap {
        [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)]
      }
      let hasMinimum = type == .q4_1 || type == .q5_1
      bytes += header.prefix(hasMinimum ? 4 : 2)
      bytes += noise.bytes(type.bytesPerBlock - (hasMinimum ? 4 : 2))
    }
    return try #require(
      StoredMatrix(
        storage: ByteStorage(copying: bytes), offset: 0, type: type, rows: rows, columns: columns,
        rowOrder: heads.map { .interleavedHalves(heads: $0) } ?? .plain))
  }
}
