import FoundationEssentials

/// Paths as engines know models by them.
enum EnginePaths {
  /// A path from the root, without steps back and `~`.
  static func absolute(_ path: String, home: String?) -> String {
    var path = path
    if let home, path == "~" || path.hasPrefix("~/") { path = home + path.dropFirst() }
    if !path.hasPrefix("/") { path = "\(FileManager.default.currentDirectoryPath)/\(path)" }
    return URL(filePath: path).standardizedFileURL.path
  }
}
