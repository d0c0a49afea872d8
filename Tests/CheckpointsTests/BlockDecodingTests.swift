import Tensors
import Testing

@testable import Checkpoints

/// Decoding, bit for bit as the gguf package does it (Tests/Oracles/record_gguf_blocks.py).
struct BlockDecodingTests {
  @Test(arguments: [
    "F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "IQ4_NL", "Q2_K", "Q3_K", "Q4_K",
    "Q5_K", "Q6_K",
  ])
  func equalsTheOracle(type: String) throws {
    let path = TestFiles.fixture("blocks.gguf")
    let storage = try ByteStorage(mapping: path)
    let header = try GGUFHeader(storage, file: path)
    let table = TensorTable(name: path, files: [path], storages: [storage], entries: header.entries)
    let stored = try matrix(table[type], in: storage)
    let expected = try matrix(table["\(type).decoded"], in: storage)
    #expect(stored.rows == 5)
    #expect(stored.columns == (type.hasSuffix("_K") ? 512 : 96))
    #expect(stored.type.rawValue == type)
    let bits = stored.decoded().values.map(\.bitPattern)
    #expect(bits == expected.decoded().values.map(\.bitPattern))
  }

  private func matrix(_ entry: TensorEntry?, in storage: ByteStorage) throws -> StoredMatrix {
    let entry = try #require(entry)
    let type = try #require(entry.type)
    return try #require(
      StoredMatrix(
        storage: storage, offset: entry.offset, type: type, rows: entry.shape[0],
        columns: entry.shape[1]))
  }
}
