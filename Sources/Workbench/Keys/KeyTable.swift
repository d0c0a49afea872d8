import Terminal

/// One line of the key table: an action, its keys, where they hold, and what people are told.
struct KeyEntry: Hashable, Sendable {
  /// A key and the argument it gives to the action: `4` gives `4` to `bits`.
  struct Binding: Hashable, Sendable {
    var keys: KeySequence
    var argument: String?
  }

  let action: Action
  var bindings: [Binding]
  let contexts: [KeyContext]
  /// The short word of the footer; nil keeps it out of the footer.
  let label: String?
  /// Smaller ranks stand further left in the footer and stay longer when it is narrow.
  let rank: Int
  let help: String

  /// The keys as the footer and the help name them: `2-8`, `[ ]`, `u z`.
  var keyNames: String {
    if bindings.count > 3, let first = bindings.first, let last = bindings.last,
      bindings.allSatisfy({ $0.argument != nil })
    {
      return "\(first.keys)-\(last.keys)"
    }
    return bindings.map(\.keys.description).joined(separator: " ")
  }

  /// The command that the `index`-th key stands for.
  func command(_ index: Int) -> Command { Command(action, bindings[index].argument) }
}

/// All keys and commands: the footer, the help, the palette, the documentation and the tests read this.
struct KeyTable: Hashable, Sendable {
  var entries: [KeyEntry]

  /// What a key press means.
  enum Match: Hashable, Sendable {
    case command(Command)
    /// The beginning of a longer sequence.
    case prefix
    case none
  }

  /// What `presses` mean in the first of `contexts` that knows them.
  func match(_ presses: [KeyPress], in contexts: [KeyContext]) -> Match {
    var isPrefix = false
    for context in contexts {
      for entry in entries where entry.contexts.contains(context) {
        for (index, binding) in entry.bindings.enumerated() {
          if binding.keys.presses == presses { return .command(entry.command(index)) }
          isPrefix = isPrefix || binding.keys.presses.starts(with: presses)
        }
      }
    }
    return isPrefix ? .prefix : .none
  }

  /// What the footer offers in `contexts`, most important first.
  func footer(in contexts: [KeyContext]) -> [KeyEntry] {
    entries.filter { entry in
      entry.label != nil && !entry.bindings.isEmpty
        && entry.contexts.contains { contexts.contains($0) }
    }.sorted { ($0.rank, $0.action.rawValue) < ($1.rank, $1.action.rawValue) }
  }

  /// The entry that explains an action: the first of the table.
  func entry(for action: Action) -> KeyEntry? { entries.first { $0.action == action } }

  /// Pairs of commands that one key would mean while the keyboard is in one place.
  func conflicts() -> [KeyConflict] {
    var conflicts: [KeyConflict] = []
    for context in KeyContext.allCases {
      var seen: [KeySequence: Command] = [:]
      for entry in entries where entry.contexts.contains(where: context.chain.contains) {
        for (index, binding) in entry.bindings.enumerated() {
          let command = entry.command(index)
          let clash =
            seen[binding.keys] ?? seen.first { Self.hide($0.key, binding.keys) }?.value
          if let clash, clash != command {
            conflicts.append(
              KeyConflict(keys: binding.keys, context: context, first: clash, second: command))
          }
          seen[binding.keys] = command
        }
      }
    }
    return conflicts
  }

  /// Whether one of two different sequences is the beginning of the other, which it would swallow.
  private static func hide(_ first: KeySequence, _ second: KeySequence) -> Bool {
    first != second
      && (first.presses.starts(with: second.presses) || second.presses.starts(with: first.presses))
  }
}

/// Two commands on one key in one context.
struct KeyConflict: Hashable, Sendable, CustomStringConvertible {
  let keys: KeySequence
  let context: KeyContext
  let first: Command
  let second: Command

  var description: String {
    "\(keys) means both \"\(first.text)\" and \"\(second.text)\" (\(context.title.lowercased()))"
  }
}
