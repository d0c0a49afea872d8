import YAML

/// Finds theme files and reads them, each name from the first place that has it.
struct ThemeLibrary: Sendable {
  /// Where theme files are looked for, first come first served.
  let directories: [String]
  /// Reads a file; nil if there is none.
  let read: @Sendable (String) -> String?
  /// Names of the files in a directory.
  let list: @Sendable (String) -> [String]

  /// All themes that can be read, and what is wrong with those that cannot.
  func all() -> (themes: [Theme], errors: [FileError]) {
    var themes: [Theme] = []
    var errors: [FileError] = []
    for directory in directories {
      for file in list(directory).sorted() where file.hasSuffix(".yaml") {
        let name = String(file.dropLast(5))
        guard !themes.contains(where: { $0.name == name }) else { continue }
        do throws(FileError) {
          themes.append(try theme(atPath: "\(directory)/\(file)"))
        } catch {
          errors.append(error)
        }
      }
    }
    let known = Set(themes.map(\.name))
    themes += Theme.builtIn.filter { !known.contains($0.name) }
    return (themes.sorted { Self.rank($0.name) < Self.rank($1.name) }, errors)
  }

  /// The theme that `--theme` or the settings ask for: a name, or a path.
  func theme(named name: String) throws(FileError) -> Theme {
    if name.contains("/") || name.hasSuffix(".yaml") { return try theme(atPath: name) }
    if let path = path(of: name) { return try theme(atPath: path) }
    if let theme = Theme.builtIn.first(where: { $0.name == name }) { return theme }
    let known = all().themes.map(\.name).joined(separator: ", ")
    throw FileError(file: name, "no such theme; there are \(known)")
  }

  private func theme(atPath path: String) throws(FileError) -> Theme {
    try file(atPath: path, heirs: []).theme()
  }

  private func file(atPath path: String, heirs: [String]) throws(FileError) -> ThemeFile {
    guard let yaml = read(path) else {
      throw FileError(
        file: path, "is no file of UTF-8 text of at most \(SettingsNode.sizeLimit >> 20) MiB")
    }
    let file = try ThemeFile(yaml: yaml, file: path)
    guard let parent = file.parent else { return file }
    let name = try parent.text("inherits")
    guard !heirs.contains(path) else { throw parent.error("the theme inherits itself") }
    guard let parentPath = self.path(of: name, besides: path) else {
      throw parent.error("there is no theme \"\(name)\" to inherit")
    }
    return file.inheriting(try self.file(atPath: parentPath, heirs: heirs + [path]))
  }

  private func path(of name: String, besides path: String? = nil) -> String? {
    let own = path.flatMap { $0.lastIndex(of: "/").map { path?[..<$0] ?? "." } }.map(String.init)
    return ([own].compactMap { $0 } + directories)
      .map { "\($0)/\(name).yaml" }.first { read($0) != nil }
  }

  /// The order in which `t` goes through themes: ours first, then others by name.
  private static func rank(_ name: String) -> String {
    let ours = ["dark", "light", "high-contrast", "ansi", "mono"]
    return ours.firstIndex(of: name).map { "\u{1}\($0)" } ?? name
  }
}
