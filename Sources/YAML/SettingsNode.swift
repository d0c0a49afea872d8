import Yams

/// A place in a YAML file that people edit, with checked access and errors that name the line.
package struct SettingsNode {
  package let file: String
  let node: Node

  /// The largest file that is read, in bytes.
  package static let sizeLimit = 1 << 20

  /// Reads a whole file.
  package init(yaml: String, file: String) throws(FileError) {
    self.file = file
    guard yaml.utf8.count <= Self.sizeLimit else {
      throw FileError(file: file, "holds more than \(Self.sizeLimit >> 20) MiB")
    }
    if let line = YAMLText.lineOfAnchor(in: yaml) {
      throw FileError(file: file, line: line, "anchors (&) are not read")
    }
    do {
      guard let node = try Yams.compose(yaml: yaml) else {
        throw FileError(file: file, "the file is empty")
      }
      self.node = node
    } catch let error as FileError {
      throw error
    } catch let error as YamlError {
      throw Self.translated(error, file: file)
    } catch {
      throw FileError(file: file, "\(error)")
    }
  }

  private init(file: String, node: Node) {
    self.file = file
    self.node = node
  }

  package var line: Int? { node.mark?.line }

  package func error(_ reason: String) -> FileError { FileError(file: file, line: line, reason) }

  /// The pairs of a mapping in their order.
  package func pairs(_ what: String) throws(FileError) -> [(key: SettingsNode, value: SettingsNode)]
  {
    guard let mapping = node.mapping else { throw error("\(what) is a mapping of names to values") }
    return mapping.map { pair in
      (SettingsNode(file: file, node: pair.key), SettingsNode(file: file, node: pair.value))
    }
  }

  package func text(_ what: String) throws(FileError) -> String {
    guard let scalar = node.scalar else { throw error("\(what) is one word or text") }
    return scalar.string
  }

  /// The elements of a sequence; one lone value counts as a sequence of itself.
  package func list() -> [SettingsNode] {
    guard let sequence = node.sequence else { return [self] }
    return sequence.map { SettingsNode(file: file, node: $0) }
  }

  package var isMapping: Bool { node.mapping != nil }

  private static func translated(_ error: YamlError, file: String) -> FileError {
    switch error {
    case .scanner(let context, let problem, let mark, _),
      .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let reason = [context?.text, problem].compactMap { $0 }.joined(separator: ": ")
      return FileError(file: file, line: mark.line, reason)
    case .duplicatedKeysInMapping(let duplicates, let context):
      let names = duplicates.joined(separator: ", ")
      return FileError(file: file, line: context.mark.line, "named twice: \(names)")
    default: return FileError(file: file, "\(error)")
    }
  }
}
