import Tensors

/// What a file's header says of one tensor, checked to lie inside the file.
struct TensorEntry: Hashable, Sendable {
  /// As the file names it.
  let name: String
  /// As the format names it, also when this version cannot read it.
  let typeName: String
  /// Row-major: the last dimension's elements are neighbours, whichever format it came from.
  let shape: [Int]
  /// Which of the checkpoint's files holds it.
  let file: Int
  /// Byte offset in that file.
  let offset: Int
  /// Bytes it takes; for a type of unknown size those to the next tensor of a GGUF file, and those that the header of safetensors gives.
  let byteCount: Int

  /// nil for a type that this version does not know: such a tensor can be listed and copied, and nothing more.
  var type: ElementType? { ElementType(rawValue: typeName) }

  /// The same in another of the checkpoint's files.
  func moved(toFile file: Int) -> TensorEntry {
    TensorEntry(
      name: name, typeName: typeName, shape: shape, file: file, offset: offset,
      byteCount: byteCount)
  }

  /// Bytes of a tensor of this type and shape; nil on overflow or when rows are no whole blocks.
  static func byteCount(_ type: ElementType, _ shape: [Int]) -> Int? {
    guard (shape.last ?? 1) % type.blockSize == 0 else { return nil }
    return elementCount(shape).flatMap { type.byteCount(elements: $0) }
  }

  /// Elements of a tensor of this shape; nil on overflow.
  private static func elementCount(_ shape: [Int]) -> Int? {
    var elements = 1
    for dimension in shape {
      let (product, overflow) = elements.multipliedReportingOverflow(by: dimension)
      guard !overflow else { return nil }
      elements = product
    }
    return elements
  }

  /// Whether a tensor of a type of unknown size could be stored in so many bytes: with at least a sixteenth of a bit for
  /// an element.
  static func couldBe(_ shape: [Int], in byteCount: Int) -> Bool {
    elementCount(shape).map { $0 / 128 <= byteCount } ?? false
  }

  /// The first two of `entries`, all of one file, that share bytes.
  static func overlap(among entries: [TensorEntry]) -> (TensorEntry, TensorEntry)? {
    let sorted = entries.filter { $0.byteCount > 0 }.sorted { $0.offset < $1.offset }
    for (first, second) in zip(sorted, sorted.dropFirst())
    where first.offset + first.byteCount > second.offset {
      return (first, second)
    }
    return nil
  }
}

/// The files of an opened checkpoint and the tensors in them, still under the files' names.
struct TensorTable: Sendable {
  /// Names the whole in messages: the one file, or the directory of several.
  let name: String
  /// Names for messages, in the order of `storages`.
  let files: [String]
  let storages: [ByteStorage]
  let entries: [TensorEntry]
  /// What was chosen of files that contradict each other: a sentence each.
  let notes: [String]
  private let places: [String: Int]

  init(
    name: String, files: [String], storages: [ByteStorage], entries: [TensorEntry],
    notes: [String] = []
  ) {
    self.name = name
    self.files = files
    self.storages = storages
    self.entries = entries
    self.notes = notes
    var places: [String: Int] = [:]
    for (place, entry) in entries.enumerated() { places[entry.name] = place }
    self.places = places
  }

  subscript(name: String) -> TensorEntry? {
    places[name].map { entries[$0] }
  }

  /// Bytes of all tensors.
  var byteCount: Int { entries.reduce(0) { $0 + $1.byteCount } }

  /// Whether two tensors have one type, one shape, and the same bytes, of which no memory is kept.
  func areAlike(_ first: TensorEntry?, _ second: TensorEntry?) -> Bool {
    guard let first, let second, first.typeName == second.typeName, first.shape == second.shape,
      first.byteCount == second.byteCount
    else { return false }
    defer { for entry in [first, second] { releasePages(of: entry) } }
    let part = 1 << 20
    return stride(from: 0, to: first.byteCount, by: part).allSatisfy { start in
      let count = min(part, first.byteCount - start)
      return bytes(of: first, from: start, count: count)
        == bytes(of: second, from: start, count: count)
    }
  }

  private func releasePages(of entry: TensorEntry) {
    storages[entry.file].releasePages(in: entry.offset..<entry.offset + entry.byteCount)
  }

  private func bytes(of entry: TensorEntry, from start: Int, count: Int) -> [UInt8] {
    storages[entry.file].bytes(in: entry.offset + start..<entry.offset + start + count)
  }
}
