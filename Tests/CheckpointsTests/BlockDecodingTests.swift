import Tensors
import Testing

@testable import Checkpoints

/// Decoding, bit for bit as ggml and the gguf package do it (Tests/Oracles/record_gguf_blocks.py).
struct BlockDecodingTests {
  /// Every type that can be decoded: a new one without recorded vectors fails.
  static let types = ElementType.allCases.filter(\.isDecodable)

  @Test(arguments: types)
  func equalsTheOracle(type: ElementType) throws {
    let (stored, expected) = try Self.recorded(type.rawValue)
    #expect(stored.type == type)
    #expect(stored.rows == 3 && stored.columns >= 2 * type.blockSize)
    #expect(stored.decoded().values.map(\.bitPattern) == expected.map(\.bitPattern))
  }

  /// Each vector that codes of these types stand for.
  @Test(arguments: [ElementType.iq3_xxs, .iq3_s, .iq2_xxs, .iq2_xs, .iq2_s, .iq1_s, .iq1_m])
  func everyVectorOfTheGridEqualsTheOracle(type: ElementType) throws {
    let (stored, expected) = try Self.recorded("\(type.rawValue).grid")
    #expect(stored.decoded().values == expected)
  }

  @Test func typesThatGGUFHasAreKnownByTheirNumber() throws {
    for type in ElementType.allCases {
      guard let number = type.format.number else { continue }
      #expect(ElementType(number: number) == type)
    }
    #expect(ElementType(number: 4) == nil && ElementType(number: .max) == nil)
  }

  /// A recorded matrix, and what the oracle decodes of it.
  private static func recorded(_ name: String) throws -> (StoredMatrix, expected: [Float]) {
    let path = TestFiles.fixture("blocks.gguf")
    let storage = try ByteStorage(mapping: path)
    let header = try GGUFHeader(storage, file: path)
    let table = TensorTable(name: path, files: [path], storages: [storage], entries: header.entries)
    return (
      try matrix(table[name], in: storage),
      try matrix(table["\(name).decoded"], in: storage).decoded().values
    )
  }

  private static func matrix(
    _ entry: TensorEntry?, in storage: ByteStorage
  ) throws -> StoredMatrix {
    let entry = try #require(entry)
    let type = try #require(entry.type)
    return try #require(
      StoredMatrix(
        storage: storage, offset: entry.offset, type: type, rows: entry.shape[0],
        columns: entry.shape[1]))
  }
}
