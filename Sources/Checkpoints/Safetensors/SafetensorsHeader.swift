import Tensors
import JSON

/// Reads the header of a safetensors file: 8 bytes of length, then JSON, then the tensors' bytes.
///
/// The format is described at https://huggingface.co/docs/safetensors; as it demands, tensors must
/// cover the bytes after the header without gaps and without sharing any.
enum SafetensorsHeader {
  /// Most bytes of a header, as the safetensors library has it.
  private static let lengthLimit = 100_000_000

  /// What the header of `storage` says of its tensors, which belong to file number `file`.
  static func read(
    _ storage: ByteStorage, name: String, file: Int
  ) throws(CheckpointError) -> [TensorEntry] {
    func fail(_ reason: String, tensor: String? = nil) -> CheckpointError {
      damaged(name, reason, tensor: tensor)
    }
    let text = try range(storage, name: name)
    let dataStart = text.upperBound
    let header = try JSONFile.object(in: storage, text, of: name)
    _ = try metadata(of: header, name)

    var entries: [TensorEntry] = []
    for member in header.members where member.name != "__metadata__" {
      let entry: TensorEntry
      do {
        entry = try Self.entry(
          member, file: file, data: dataStart..<storage.count)
      } catch {
        throw fail(error.reason, tensor: member.name)
      }
      entries.append(entry)
    }
    if let (first, second) = TensorEntry.overlap(among: entries) {
      throw fail("shares bytes with tensor \(first.name)", tensor: second.name)
    }
    let covered = entries.reduce(0) { $0 + $1.byteCount }
    guard covered == storage.count - dataStart else {
      throw fail(
        "holds \(storage.count - dataStart) bytes of tensors, but its header describes \(covered)")
    }
    return entries
  }

  /// The texts of the header's `__metadata__`, by name; none if it has none.
  static func metadata(
    _ storage: ByteStorage, name: String
  ) throws(CheckpointError) -> [String: String] {
    try metadata(of: JSONFile.object(in: storage, range(storage, name: name), of: name), name)
  }

  private static func metadata(
    of header: JSONObject, _ name: String
  ) throws(CheckpointError) -> [String: String] {
    guard let value = header["__metadata__"] else { return [:] }
    guard let members = value.object?.members else {
      throw damaged(name, "the header's __metadata__ is no object")
    }
    var texts: [String: String] = [:]
    for member in members {
      guard let text = member.value.string else {
        throw damaged(name, "the header's metadata \(member.name) is no text")
      }
      texts[member.name] = text
    }
    return texts
  }

  /// Where the JSON text lies in the file.
  private static func range(
    _ storage: ByteStorage, name: String
  ) throws(CheckpointError) -> Range<Int> {
    guard storage.count >= 8 else {
      throw damaged(name, "is \(storage.count) bytes long, too short for a safetensors header")
    }
    let length = storage.integer(at: 0, width: 8)
    guard length <= UInt64(lengthLimit) else {
      throw damaged(
        name, "the header claims \(length) bytes, more than the \(lengthLimit) that there may be")
    }
    guard length <= UInt64(storage.count - 8) else {
      throw damaged(name, "the header claims \(length) bytes, but only \(storage.count - 8) follow")
    }
    let range = 8..<8 + Int(length)
    guard range.isEmpty || storage.integer(at: 8, width: 1) == UInt64(UInt8(ascii: "{")) else {
      throw damaged(name, "the header does not start with {")
    }
    return range
  }

  private static func damaged(
    _ file: String, _ reason: String, tensor: String? = nil
  ) -> CheckpointError {
    CheckpointError(
      file: file, tensor: tensor, reason: reason, hint: "get the file again from its source")
  }

  private struct EntryError: Error {
    let reason: String
  }

  private static func entry(
    _ member: JSONObject.Member, file: Int, data: Range<Int>
  ) throws(EntryError) -> TensorEntry {
    guard let fields = member.value.object, let typeName = fields["dtype"]?.string,
      let dimensions = fields["shape"]?.array, let ends = fields["data_offsets"]?.array
    else { throw EntryError(reason: "the header lacks its dtype, shape or data_offsets") }
    let shape = dimensions.compactMap(\.integer)
    guard shape.count == dimensions.count, shape.count <= 8, shape.allSatisfy({ $0 >= 0 }) else {
      throw EntryError(reason: "the shape is not a list of at most 8 sizes")
    }
    let offsets = ends.compactMap(\.integer)
    guard ends.count == 2, offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1],
      offsets[1] <= data.count
    else {
      throw EntryError(
        reason: "the data_offsets do not lie in the \(data.count) bytes after the header")
    }
    let byteCount = offsets[1] - offsets[0]
    if let type = ElementType(rawValue: typeName) {
      guard !type.isQuantized else {
        throw EntryError(reason: "type \(typeName) does not belong into safetensors files")
      }
      guard let needed = TensorEntry.byteCount(type, shape) else {
        throw EntryError(reason: "the shape \(shape) overflows")
      }
      guard needed == byteCount else {
        throw EntryError(
          reason: "\(shape) of \(typeName) takes \(needed) bytes, but \(byteCount) are stored")
      }
    }
    guard TensorEntry.couldBe(shape, in: byteCount) else {
      throw EntryError(reason: "\(shape) of \(typeName) is more than \(byteCount) bytes can hold")
    }
    return TensorEntry(
      name: member.name, typeName: typeName, shape: shape, file: file,
      offset: data.lowerBound + offsets[0], byteCount: byteCount)
  }
}
