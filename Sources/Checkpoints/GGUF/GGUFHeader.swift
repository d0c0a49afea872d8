import Tensors

/// A GGUF file's metadata and tensors, read from its header (version 2 or 3, little-endian).
///
/// The format is described at https://github.com/ggml-org/ggml/blob/master/docs/gguf.md.
package struct GGUFHeader: Settings, Sendable {
  static let magic: UInt64 = 0x4655_4747

  package let file: String
  let storage: ByteStorage
  let metadata: [String: GGUFValue]
  /// The keys in the order of the file, and where the types and values of each lie in it.
  private let places: [(key: String, value: Range<Int>)]
  let entries: [TensorEntry]

  /// Whether the file starts as GGUF files do.
  static func isGGUF(_ storage: ByteStorage) -> Bool {
    storage.count >= 4 && storage.integer(at: 0, width: 4) == magic
  }

  init(_ storage: ByteStorage, file: String) throws(CheckpointError) {
    var cursor = GGUFCursor(storage, file: file)
    guard try cursor.unsigned(width: 4) == Self.magic else {
      throw cursor.error("does not start with \"GGUF\"")
    }
    let version = UInt32(try cursor.unsigned(width: 4))
    // Version 3 differs from 2 only in that it allows big-endian files.
    guard version == 2 || version == 3 else {
      let isSwapped = version > 0xffff && version.byteSwapped <= 0xffff
      throw CheckpointError(
        file: file,
        reason: isSwapped
          ? "is a big-endian GGUF file"
          : "has GGUF version \(version), and versions 2 and 3 are read",
        hint: "convert the model again with a current llama.cpp")
    }
    let tensorCount = try cursor.count(minimum: 24, of: "tensors")
    let valueCount = try cursor.count(minimum: 13, of: "metadata values")
    (metadata, places) = try Self.metadata(valueCount, from: &cursor)
    let fields = try (0..<tensorCount).map { _ throws(CheckpointError) in
      try GGUFTensorFields(&cursor)
    }
    let alignment = try Self.alignment(metadata, places, cursor)
    entries = try GGUFTensorLayout(after: cursor, alignment: alignment).entries(fields)
    self.storage = storage
    self.file = file
  }

  package func value(_ key: String) -> SettingValue? {
    switch metadata[key] {
    case .none: nil
    case .integer(let value): .integer(value)
    case .number(let value): .number(value)
    case .bool(let value): .bool(value)
    case .string(let range):
      (try? GGUFCursor(storage, file: file).string(in: range)).map { .text($0) } ?? .other
    case .hugeInteger, .array: .other
    }
  }

  /// The keys of all metadata in the order of the file.
  var keys: [String] { places.map(\.key) }

  /// All metadata in the order of the file, byte for byte.
  package var encodedMetadata: [GGUFFile.Field] {
    places.map { GGUFFile.Field($0.key, .encoded(storage.bytes(in: $0.value))) }
  }

  /// A list of strings.
  func strings(_ key: String) throws(CheckpointError) -> [String] {
    guard case .array(.string, let count, let range) = metadata[key] else {
      throw error("\(key) is missing or no list of strings")
    }
    var cursor = GGUFCursor(storage, file: file, position: range.lowerBound)
    var strings: [String] = []
    strings.reserveCapacity(count)
    for _ in 0..<count { strings.append(try cursor.string(in: try cursor.stringRange())) }
    return strings
  }

  /// A list of whole numbers or flags of any width; nil if there is none.
  func integers(_ key: String) -> [Int]? {
    guard case .array(let type, let count, let range) = metadata[key], let width = type.width,
      type != .float32, type != .float64
    else { return nil }
    return (0..<count).map { index in
      let bits = storage.integer(at: range.lowerBound + index * width, width: width)
      let shift = 64 - 8 * width
      return Int(truncatingIfNeeded: Int64(truncatingIfNeeded: bits << shift) >> shift)
    }
  }

  private static func metadata(
    _ count: Int, from cursor: inout GGUFCursor
  ) throws(CheckpointError) -> ([String: GGUFValue], [(key: String, value: Range<Int>)]) {
    var metadata: [String: GGUFValue] = [:]
    var places: [(key: String, value: Range<Int>)] = []
    for _ in 0..<count {
      let key = try cursor.name(limit: 0xffff, of: "a metadata key")
      let start = cursor.position
      let type = try cursor.valueType()
      guard metadata.updateValue(try cursor.value(of: type), forKey: key) == nil else {
        throw cursor.error("the metadata key \(key) occurs twice")
      }
      places.append((key, start..<cursor.position))
    }
    return (metadata, places)
  }

  /// What the tensors' offsets are multiples of.
  private static func alignment(
    _ metadata: [String: GGUFValue], _ places: [(key: String, value: Range<Int>)],
    _ cursor: GGUFCursor
  ) throws(CheckpointError) -> Int {
    guard let value = metadata["general.alignment"],
      let place = places.first(where: { $0.key == "general.alignment" })?.value
    else { return GGUFFile.alignment }
    let type = GGUFValueType(
      rawValue: UInt32(cursor.storage.integer(at: place.lowerBound, width: 4)))
    guard type == .uint32 else { throw cursor.error("general.alignment is no number of 32 bits") }
    guard case .integer(let given) = value, given > 0, given & (given - 1) == 0, given <= 1 << 30
    else { throw cursor.error("general.alignment is not a power of two") }
    return given
  }
}
