import Tensors
import Testing

@testable import Checkpoints

/// Tensors that are compared byte by byte.
struct TensorTableTests {
  private let table = TensorTable(
    name: "model", files: ["model"], storages: [ByteStorage(copying: [1, 2, 1, 2, 3, 1, 2])],
    entries: [
      Self.entry("one", at: 0, bytes: 2), Self.entry("same", at: 2, bytes: 2),
      Self.entry("other", at: 3, bytes: 2), Self.entry("long", at: 2, bytes: 5),
      Self.entry("last", at: 5, bytes: 2),
    ])

  /// A type that this version does not know may take any number of bytes.
  private static func entry(_ name: String, at offset: Int, bytes: Int) -> TensorEntry {
    TensorEntry(
      name: name, typeName: "F6", shape: [2], file: 0, offset: offset, byteCount: bytes)
  }

  @Test func likeTensorsHaveTheSameBytes() {
    #expect(table.areAlike(table["one"], table["same"]))
    #expect(table.areAlike(table["one"], table["last"]))
    #expect(!table.areAlike(table["one"], table["other"]))
    #expect(!table.areAlike(table["one"], nil))
  }

  /// A longer tensor is another one, also beside the last of a file.
  @Test func lengthsCount() {
    #expect(!table.areAlike(table["long"], table["last"]))
    #expect(!table.areAlike(table["last"], table["long"]))
  }
}
