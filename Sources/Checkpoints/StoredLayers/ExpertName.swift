/// How Hugging Face checkpoints name the matrices of experts: `mlp.experts.3.up_proj` of the stack `mlp.experts.up_proj`.
package enum ExpertName {
  private static let word = "experts"

  /// Whether a stack's name has a place for an expert's number.
  package static func isStack(_ name: String) -> Bool { name.contains("\(word).") }

  /// One expert's layer of a stack; the stack's own name where it has no place for a number.
  package static func of(_ expert: Int, in stack: String) -> String {
    all(in: stack)?(expert) ?? stack
  }

  /// What names the experts' layers of a stack by their numbers; nil where its name has no place for one.
  static func all(in stack: String) -> ((_ expert: Int) -> String)? {
    let parts = stack.split(separator: ".", omittingEmptySubsequences: false)
    guard let place = parts.firstIndex(where: { $0.hasSuffix(word) }), place + 1 < parts.count
    else { return nil }
    let before = parts[...place].joined(separator: ".") + "."
    let after = "." + parts[(place + 1)...].joined(separator: ".")
    return { before + String($0) + after }
  }

  /// The name of the stack and the expert's number in the name of one expert's layer; nil for other names.
  static func parts(of name: String) -> (stack: String, expert: Int)? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard let place = parts.firstIndex(of: Substring(word)), place + 1 < parts.count,
      let expert = Int(parts[place + 1])
    else { return nil }
    let rest = parts[...place] + parts[(place + 2)...]
    return (rest.joined(separator: "."), expert)
  }
}
