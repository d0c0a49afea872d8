import FoundationEssentials
import Tensors

extension String {
  /// The last part of a path, as people know a file by; a path without parts is itself.
  package var fileName: String { split(separator: "/").last.map(String.init) ?? self }
}

/// The parts of a file path.
enum PathName {
  /// The directory that holds `path`, and the name of `path` in it.
  static func split(_ path: String) -> (parent: String, name: String) {
    let name = path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    return (FileSystem.parent(of: path), name)
  }

  /// The last part of `path` that names something, also of `model/` and `.`.
  static func last(_ path: String) -> String {
    let parts = path.split(separator: "/").filter { $0 != "." }
    if let last = parts.last, last != ".." { return String(last) }
    let whole = FileManager.default.currentDirectoryPath + "/" + path
    var names: [Substring] = []
    for part in whole.split(separator: "/") where part != "." {
      if part == ".." { _ = names.popLast() } else { names.append(part) }
    }
    return names.last.map(String.init) ?? "/"
  }
}
