import YAML

/// A user's own keys: a YAML file that names commands and gives them other keys.
///
///     keys:
///       undo: [u, ctrl-z]
///       bits 4: F9
struct KeySettings {
  /// Reads a settings file into `table`.
  ///
  /// - Throws: ``FileError`` with the line of an unknown command or key, or of two commands on one
  ///   key.
  static func apply(yaml: String, file: String, to table: KeyTable) throws(FileError) -> KeyTable {
    var table = table
    var lines: [Command: SettingsNode] = [:]
    let root = try SettingsNode(yaml: yaml, file: file)
    for (key, value) in try root.pairs("a settings file") {
      guard try key.text("a key") == "keys" else {
        throw key.error("\"\(try key.text("a key"))\" is not \"keys\"")
      }
      for (name, keys) in try value.pairs("keys") {
        let command = try command(name)
        lines[command] = name
        try table.rebind(command, to: try sequences(keys), at: name)
      }
    }
    if let conflict = table.conflicts().first {
      let node = lines[conflict.second] ?? lines[conflict.first] ?? root
      throw node.error(conflict.description)
    }
    return table
  }

  private static func command(_ node: SettingsNode) throws(FileError) -> Command {
    let text = try node.text("a command")
    guard let command = Command(parsing: text) else {
      throw node.error("unknown command \"\(text)\"")
    }
    return command
  }

  private static func sequences(_ node: SettingsNode) throws(FileError) -> [KeySequence] {
    var sequences: [KeySequence] = []
    for element in node.list() {
      let text = try element.text("a key")
      guard let sequence = KeySequence(text) else {
        throw element.error("unknown key \"\(text)\"; write for example u, ctrl-r, F5, space, g g")
      }
      sequences.append(sequence)
    }
    return sequences
  }
}

extension KeyTable {
  /// Gives a command other keys, where it first stands in the table.
  fileprivate mutating func rebind(
    _ command: Command, to keys: [KeySequence], at node: SettingsNode
  ) throws(FileError) {
    guard let place = entries.firstIndex(where: { $0.action == command.action }) else {
      throw node.error("\"\(command.text)\" takes no keys")
    }
    entries[place].bindings.removeAll { $0.argument == command.argument }
    entries[place].bindings += keys.map { .init(keys: $0, argument: command.argument) }
  }
}
