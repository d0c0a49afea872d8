import Foundation
import Testing

/// Nothing that names, plans, arguments or models say acts on the terminal that a command prints to.
struct PrintedTextTests {
  private static let sample = Pane.root.appending(path: "Samples/scripture").path
  private static let evil = [
    "\u{1b}]0;title\u{7}", "\u{1b}[2J", "a\rb", "\u{9b}31m", "\u{202e}turned\u{202c}",
    "\u{2066}x\u{2069}", "z\u{200b}w\u{200d}\u{feff}", "\u{200f}\u{61c}", "\u{8}\u{8}",
  ]

  private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x0a: false
    case 0..<0x20, 0x7f..<0xa0, 0x61c, 0x200b...0x200f, 0x2028...0x202e, 0x2066...0x2069, 0xfeff:
      true
    default: false
    }
  }

  /// What the binary prints, whatever its status.
  private func printed(_ arguments: [String]) throws -> String {
    try Command.run(
      ["/bin/sh", "-c", #""$0" "$@" 2>&1; echo "status $?""#, Pane.binary] + arguments)
  }

  private func expectHarmless(_ text: String, _ arguments: [String]) {
    #expect(
      !text.unicodeScalars.contains(where: Self.isHarmful), "\(arguments): \(text.debugDescription)"
    )
    #expect(!text.contains("status 0\n"), "\(arguments)")
  }

  @Test(arguments: evil)
  func argumentsAreSpelledOut(evil: String) throws {
    let model = Self.sample
    for arguments in [
      ["inspect", "/tmp/\(evil)"], ["inspect", model, "--\(evil)"], [evil],
      ["preview", model, "--type", evil], ["preview", model, "--plan", "/tmp/\(evil)"],
      ["allocate", model, "--budget", evil], ["compare", model, model, "--layers", evil],
      ["evaluate", model, "--text", evil], ["open", model, "--theme", evil],
      ["export", model, "--target", evil, "--output", "/tmp/\(evil)"],
    ] { expectHarmless(try printed(arguments), arguments) }
  }

  @Test(arguments: evil)
  func plansAreSpelledOut(evil: String) throws {
    let directory = FileManager.default.temporaryDirectory.appending(
      path: "vise-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let quoted = String(decoding: try JSONEncoder().encode(evil), as: UTF8.self)
    for text in [
      "\(quoted): 1", "rules:\n  - {layers: '*', \(quoted): 1}",
      "rules:\n  - {layers: '*', method: \(quoted)}", "rules:\n  - {layers: '*', type: \(quoted)}",
      "rules:\n  - {layers: '*', bits: \(quoted)}",
      "rules:\n  - {layers: \(quoted.dropLast())[\", bits: 4}",
      "rules:\n  - {layers: \"re:(\(quoted.dropFirst()), bits: 4}",
    ] {
      let file = directory.appending(path: "plan.yaml")
      try "vise: 1\n\(text)\n".write(to: file, atomically: true, encoding: .utf8)
      let arguments = ["preview", Self.sample, "--plan", file.path]
      expectHarmless(try printed(arguments), arguments + [text])
    }
  }

  /// To a pipe, an answer is its own bytes; to a terminal, it is made harmless.
  @Test func answersAreFilteredForTerminals() throws {
    let directory = FileManager.default.temporaryDirectory.appending(
      path: "vise-\(UUID().uuidString)")
    try FileManager.default.copyItem(at: URL(filePath: Self.sample), to: directory)
    defer { try? FileManager.default.removeItem(at: directory) }
    let file = directory.appending(path: "tokenizer.json")
    var root = try #require(
      try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    var model = try #require(root["model"] as? [String: Any])
    let vocabulary = try #require(model["vocab"] as? [String: Int])
    var added = try #require(root["added_tokens"] as? [[String: Any]])
    // The comma is no part of other tokens any more, and spelled as what no terminal should see.
    let merges = try #require(model["merges"] as? [[String]])
    model["merges"] = merges.filter { !$0.contains(",") }
    root["model"] = model
    let comma = try #require(vocabulary[","])
    added.append(["id": comma, "content": "\u{1b}]0;title\u{7}\u{202e}", "special": false])
    root["added_tokens"] = added
    try JSONSerialization.data(withJSONObject: root).write(to: file)
    let arguments = [
      Pane.binary, "generate", directory.path, "--prompt", "And it came to pass", "--tokens", "120",
      "--raw",
    ]
    let piped = try Command.run(arguments)
    #expect(piped.contains("\u{1b}]0;"))
    let command = arguments.map { "'\($0)'" }.joined(separator: " ")
    let typed = try Command.run(["script", "-qec", command + " 2>/dev/null", "/dev/null"])
    let shown = typed.replacing("\r\n", with: "\n")
    #expect(shown.contains("]0;"))
    #expect(!shown.unicodeScalars.contains(where: Self.isHarmful), "\(shown.debugDescription)")
  }
}
