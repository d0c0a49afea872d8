import Foundation
import Testing

/// A conversation in a real terminal: turns, lines, files, and where the answers begin to part.
struct ChatTests {
  private static let sample = Pane.root.appending(path: "Samples/scripture").path

  @Test func aConversationIsHeldAndLookedInto() throws {
    let pane = try Pane(["--theme", "dark", Self.sample])
    try pane.wait(for: "q_proj")
    try pane.type("a2")
    try pane.wait(for: "2 bit on")
    try pane.type(":set tokens 24\r")
    try pane.wait(for: "24 tokens")
    try pane.press("F8")
    try pane.wait(for: "ask both models")
    try pane.type("And it came")
    // Alt and Enter, as terminals send it.
    try pane.press("M-Enter")
    try pane.type("to pass\r")
    try pane.wait(for: "part at token", seconds: 120)
    try pane.wait(for: "both answers", seconds: 120) { !$0.contains("generate ") }
    try pane.type("and the king\r")
    try pane.wait(for: "> and the king")
    try pane.wait(for: "the second answers", seconds: 120) { !$0.contains("generate ") }
    try pane.press("C-r")
    try pane.wait(for: "the answers to it again", seconds: 120) {
      $0.contains("24 tokens   ") && !$0.contains("generate ")
    }

    // The answers of before are on the screen for a moment, and there is nothing to go to while they are made again.
    try pane.wait(for: "read by both", seconds: 60) { screen in
      guard !screen.contains("read by both") else { return true }
      try? pane.press("C-g")
      usleep(500_000)
      return false
    }
    try pane.wait(for: "rank 1")
    try pane.press("F9")
    try pane.wait(for: "all, with head", seconds: 120)
    try pane.type("a")
    try pane.press("Enter")
    try pane.wait(for: "are marked: ] gives them one bit more")

    let list = pane.scratch.appending(path: "prompts.json")
    try Data(#"["In the beginning", {"prompt": "And the king said"}]"#.utf8).write(to: list)
    try pane.type(":prompts \(list.path)\r")
    try pane.wait(for: "of 2 answers part", seconds: 120)
    let note = pane.scratch.appending(path: "note")
    try Data("Blessed are\nthe meek".utf8).write(to: note)
    try pane.type(":prompt @\(note.path)\r")
    try pane.wait(for: "> Blessed are")
  }
}
