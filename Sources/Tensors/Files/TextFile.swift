/// Small text files that people write: plans, themes, keys.
public enum TextFile {
  /// The text of the file at `path`, which is to be what `kind` says, as in `a plan`, and to hold at most `limit` bytes:
  /// nothing is read of a file that is too large.
  ///
  /// - Throws: ``StorageError`` when it cannot be read, is too large, or no UTF-8.
  public static func read(_ path: String, limit: Int, as kind: String) throws(StorageError)
    -> String
  {
    let storage = try ByteStorage(mapping: path)
    guard storage.count <= limit else {
      throw StorageError(
        path: path, reason: "holds \(storage.count) bytes, more than the \(limit) of \(kind)")
    }
    guard let text = String(validating: storage.bytes(in: 0..<storage.count), as: UTF8.self) else {
      throw StorageError(path: path, reason: "is not UTF-8 text")
    }
    return text
  }
}
