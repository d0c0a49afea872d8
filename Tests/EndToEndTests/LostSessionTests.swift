import Foundation
import Testing

/// A workbench that ends in whatever way is found as it was.
@Suite(.serialized)
struct LostSessionTests {
  private let model = Pane.root.appending(path: "Samples/scripture").path

  /// The screen without the line of notices.
  private func lasting(_ screen: String) -> [Substring] {
    var lines = screen.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.count > 34 { lines.remove(at: 34) }
    return lines
  }

  /// Edits, is killed, and is opened again; then the figures are in the history.
  @Test func aKilledSessionGoesOnWhereItWas() throws {
    let pane = try Pane.interactive([model])
    try pane.wait(for: "q_proj")
    let text = pane.scratch.appending(path: "text.txt")
    try String(repeating: "In the beginning God created the heaven and the earth. ", count: 30)
      .write(to: text, atomically: true, encoding: .utf8)
    try pane.type("a4")
    try pane.wait(for: "exact figures") { $0.contains("KB") && !$0.contains("~") }
    try pane.type(":evaluate \(text.path)\r")
    try pane.wait(for: "KLD", seconds: 120)
    try pane.type("5")
    try pane.type(":sort size\r")
    try pane.type("jjj u")
    try pane.type("pAnd the LORD said")
    var before = ""
    try pane.wait(for: "a screen that stays as it is") { screen in
      defer { before = screen }
      usleep(300_000)
      return screen == before && screen.contains("the LORD said")
    }
    kill(try pane.program(), SIGKILL)
    try pane.wait(for: "Killed")
    try pane.type("reset\r")
    try pane.start([model])
    // While its engine still works for it, a session goes on without a question.
    var isAsked = false
    try pane.wait(for: "the session that was lost") { screen in
      isAsked = screen.contains("go on where you were")
      return isAsked || lasting(screen) == lasting(before)
    }
    if isAsked { try pane.type("y") }
    try pane.wait(for: "the screen as it was") { lasting($0) == lasting(before) }
    // What was measured of this plan belongs to it, in this session too.
    #expect(try pane.screen().contains("KLD"))
    try pane.press("F5")
    try pane.wait(for: "text.txt")
    let rows = try Command.run(
      [Pane.binary, "history", model, "--csv"],
      environment: ["XDG_STATE_HOME": pane.scratch.path])
    #expect(rows.split(whereSeparator: \.isNewline).count == 2 && rows.contains(text.path))
  }

  @Test func quittingIsNotTheEndEither() throws {
    let pane = try Pane.interactive([model])
    try pane.wait(for: "q_proj")
    try pane.type("a3")
    try pane.wait(for: "3 bit on")
    try pane.type("q")
    try pane.wait(for: "the session is kept")
    try pane.type("d")
    try pane.wait(for: "shell>")
    try pane.start([model, "--resume"])
    try pane.wait(for: "As you left it")
    try pane.press("u")
    try pane.wait(for: "Undone: 3 bit on")
    try pane.type("q")
    try pane.wait(for: "shell>")
    try pane.start([model, "--fresh"])
    try pane.wait(for: "q_proj")
    try pane.press("u")
    try pane.wait(for: "Nothing to undo")
  }
}
