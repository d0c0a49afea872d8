import Tensors

/// Places a GGUF file's tensors in the file, each right after the one before it.
///
/// llama.cpp's reader (`gguf.cpp`) asks for the same: an offset that does not follow from the sizes before it shows that
/// a type or a shape is not what the bytes were written as. Tensors of unknown types end where the next one begins.
struct GGUFTensorLayout {
  /// Where the tensors' bytes start in the file.
  private let start: Int
  /// What offsets are multiples of.
  private let alignment: UInt64
  private let cursor: GGUFCursor

  /// Takes a cursor at the end of the header.
  init(after cursor: GGUFCursor, alignment: Int) {
    start = (cursor.position + alignment - 1) / alignment * alignment
    self.alignment = UInt64(alignment)
    self.cursor = cursor
  }

  /// Bytes between the start of the tensors' and the end of the file.
  private var room: UInt64 { UInt64(max(0, cursor.storage.count - start)) }

  /// The tensors' places, in the order of the file.
  func entries(_ fields: [GGUFTensorFields]) throws(CheckpointError) -> [TensorEntry] {
    var names: Set<String> = []
    var entries: [TensorEntry] = []
    // Where the next tensor must start; nil after one of unknown size.
    var expected: UInt64? = 0
    for (place, field) in fields.enumerated() {
      guard names.insert(field.name).inserted else {
        throw cursor.error("is described twice", tensor: field.name)
      }
      let known = try field.byteCount(cursor)
      try check(field, against: expected, after: place > 0 ? entries[place - 1] : nil)
      let next = place + 1 < fields.count ? fields[place + 1].offset : room
      let byteCount = known.map { UInt64($0) } ?? (max(next, field.offset) - field.offset)
      guard field.offset <= room, byteCount <= room - field.offset else {
        throw cursor.error(
          "reaches beyond the end of the file (\(byteCount) bytes at \(field.offset) of \(room))",
          tensor: field.name)
      }
      guard known != nil || TensorEntry.couldBe(field.shape, in: Int(byteCount)) else {
        throw cursor.error(
          "\(field.shape) of \(field.typeName) is more than \(byteCount) bytes can hold",
          tensor: field.name)
      }
      entries.append(
        TensorEntry(
          name: field.name, typeName: field.typeName, shape: field.shape, file: 0,
          offset: start + Int(field.offset), byteCount: Int(byteCount)))
      let end = field.offset + byteCount
      expected = known == nil ? nil : (end + alignment - 1) / alignment * alignment
    }
    return entries
  }

  private func check(
    _ field: GGUFTensorFields, against expected: UInt64?, after previous: TensorEntry?
  ) throws(CheckpointError) {
    guard field.offset % alignment == 0 else {
      throw cursor.error(
        "starts at \(field.offset), which is no multiple of the alignment \(alignment)",
        tensor: field.name)
    }
    guard let expected else {
      guard let previous, field.offset > UInt64(previous.offset - start) else {
        throw cursor.error("starts before the tensor that it follows", tensor: field.name)
      }
      return
    }
    guard field.offset == expected else {
      let why =
        previous.map { "where the \($0.byteCount) bytes of \($0.typeName) of \($0.name) end" }
        ?? "though it is the first"
      throw cursor.error(
        "starts at \(field.offset), not at \(expected), \(why)", tensor: field.name)
    }
  }
}
