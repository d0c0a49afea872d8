/// A change of the plan as a command line says it: what layers get, and behind that which layers; `bits 4 down_proj`.
struct PlanCommand {
  let value: String?
  /// A filter's text; nil is for the marked layers, or the one under the cursor.
  let layers: String?

  init(_ command: Command) {
    let words = (command.argument ?? "").split(separator: " ").map(String.init)
    let count = Self.wordsOfValue(words, for: command.action)
    func text(_ words: some Sequence<String>) -> String? {
      let text = words.joined(separator: " ")
      return text.isEmpty ? nil : text
    }
    value = text(words.prefix(count))
    layers = text(words.dropFirst(count))
  }

  /// How many words say what layers get: of several words, as many as make sense together.
  private static func wordsOfValue(_ words: [String], for action: Action) -> Int {
    func longest(_ isValue: (String) -> Bool) -> Int {
      // Where nothing makes sense, all of it is refused.
      (1...max(words.count, 1)).last { isValue(words.prefix($0).joined(separator: " ")) }
        ?? words.count
    }
    return switch action {
    case .keep, .fewerBits, .moreBits: 0
    case .method: longest { SchemeWords.method($0) != nil }
    case .sparsity: longest { SchemeWords.sparsity($0) != nil }
    default: 1
    }
  }
}
