extension KeyTable {
  /// The table of keys for the documentation: one row an action, in the order of the table.
  func markdown() -> String {
    var lines = ["| keys | command | does |", "|---|---|---|"]
    for action in actionsInOrder where !action.isLocal {
      let entries = entries.filter { $0.action == action }
      guard let first = entries.first else { continue }
      var keys: [String] = []
      for entry in entries {
        let names =
          entry.bindings.count > 3
          ? [entry.keyNames] : entry.bindings.map(\.keys.description)
        keys += names.filter { !keys.contains($0) }
      }
      let usage = [action.rawValue, action.argument.placeholder].filter { !$0.isEmpty }
        .joined(separator: " ")
      let cells = [
        keys.map(Self.code).joined(separator: " "), Self.code(":" + usage), first.help,
      ]
      lines.append("| " + cells.joined(separator: " | ") + " |")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Every action of the table once.
  var actionsInOrder: [Action] {
    var seen: Set<Action> = []
    return entries.map(\.action).filter { seen.insert($0).inserted }
  }

  private static func code(_ text: String) -> String {
    "`" + text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
      + "`"
  }
}
