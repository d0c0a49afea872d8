import Foundation

/// A folder in memory for readers that are given a path: files that stay, and one that is the input.
final class ScratchFolder: Sendable {
  let path: String

  init(_ name: String, files: [String: [UInt8]] = [:]) {
    let root = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : "/tmp"
    path = "\(root)/vise-fuzz-\(ProcessInfo.processInfo.processIdentifier)-\(name)"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for (name, bytes) in files { write(bytes, to: name) }
  }

  /// Writes a file, and returns its path.
  @discardableResult
  func write(_ bytes: [UInt8], to name: String) -> String {
    let file = "\(path)/\(name)"
    let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    guard descriptor >= 0 else { fatalError("cannot write \(file)") }
    defer { close(descriptor) }
    guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
      fatalError("cannot write \(file)")
    }
    return file
  }
}
