import Tensors

/// Hashes a file bit by bit, so that others have their turn.
public struct FileHashing {
  /// Bytes that one step hashes.
  private static let slice = 8 << 20

  private let storage: ByteStorage
  private let name: String
  private var hash = ContentHash()

  /// - Parameters:
  ///   - path: of the file.
  ///   - name: what the result calls it.
  /// - Throws: ``ExportError`` when it cannot be read.
  public init(_ path: String, as name: String) throws(ExportError) {
    do throws(StorageError) {
      storage = try ByteStorage(mapping: path)
    } catch {
      throw ExportError(error)
    }
    self.name = name
  }

  /// Hashes a slice.
  ///
  /// - Returns: the file's hash once all of it is hashed.
  /// - Throws: ``ExportError`` when the file was cut off meanwhile.
  public mutating func step() throws(ExportError) -> Receipt.File? {
    let end = min(hash.count + Self.slice, storage.count)
    hash.add(storage, in: hash.count..<end)
    if let damage = storage.damage { throw ExportError(damage) }
    guard hash.count == storage.count else { return nil }
    return Receipt.File(name: name, bytes: storage.count, xxh64: hash.digits)
  }

  /// The whole file at once.
  ///
  /// - Throws: ``ExportError`` when it cannot be read.
  public static func file(_ path: String, as name: String) throws(ExportError) -> Receipt.File {
    var hashing = try FileHashing(path, as: name)
    while true {
      if let file = try hashing.step() { return file }
    }
  }
}
