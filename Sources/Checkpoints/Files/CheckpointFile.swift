import FoundationEssentials
import Tensors

/// A file of a checkpoint, mapped, or the reason why what lies there is not the file that it stands for.
enum CheckpointFile {
  /// Maps the file at `path`.
  ///
  /// - Throws: ``CheckpointError`` when it cannot be read, is a link to a file that is gone, or a pointer of Git LFS.
  static func map(_ path: String) throws(CheckpointError) -> ByteStorage {
    let storage: ByteStorage
    do {
      storage = try ByteStorage(mapping: path)
    } catch {
      throw goneBlob(path) ?? CheckpointError(error)
    }
    if let error = pointer(storage, path) { throw error }
    return storage
  }

  /// The error of a link in a snapshot of Hugging Face's cache whose file is no longer there; nil for anything else.
  static func goneBlob(_ path: String) -> CheckpointError? {
    let files = FileManager.default
    guard let target = try? files.destinationOfSymbolicLink(atPath: path),
      !files.fileExists(atPath: path)
    else { return nil }
    let repository = HubCache.repository(ofPath: path)
    let command = repository.map { "run `hf download \($0) \(PathName.split(path).name)`" }
    return CheckpointError(
      file: path,
      reason: repository == nil
        ? "is a link to \(target), which is gone"
        : "is a link to \(target), which Hugging Face's cache no longer holds",
      hint: command ?? "put the file back, or give the directory that it was moved to")
  }

  /// The error of the few lines that Git keeps for a large file that was not fetched; nil for anything else.
  ///
  /// Their form is described at https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md.
  private static func pointer(_ storage: ByteStorage, _ path: String) -> CheckpointError? {
    let (start, limit) = (Array("version https://git-lfs.github.com/spec/v1\n".utf8), 1024)
    guard storage.count <= limit, storage.count >= start.count,
      storage.bytes(in: 0..<start.count) == start
    else { return nil }
    let text = String(decoding: storage.bytes(in: 0..<storage.count), as: UTF8.self)
    let size = text.split(separator: "\n").first { $0.hasPrefix("size ") }?.dropFirst(5)
    let what = size.flatMap { Int($0) }.map { "the file of \($0) bytes" } ?? "the file"
    return CheckpointError(
      file: path, reason: "is a pointer of Git LFS and not \(what) that it stands for",
      hint: "run `git lfs pull` in \(PathName.split(path).parent)")
  }
}
