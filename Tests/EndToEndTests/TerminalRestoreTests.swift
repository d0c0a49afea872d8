import Foundation
import Testing

/// However the program ends, the terminal is as it was before.
@Suite(.serialized)
struct TerminalRestoreTests {
  private let model = Pane.root.appending(path: "Samples/scripture").path

  private func opened() throws -> Pane {
    let pane = try Pane([model])
    try pane.wait(for: "q_proj")
    return pane
  }

  @Test func workbenchTakesTheTerminal() throws {
    let pane = try opened()
    #expect(try pane.modes() == Pane.Modes(isAlternate: true, hasMouse: true, showsCursor: false))
  }

  @Test func quitting() throws {
    let pane = try opened()
    try pane.press("q")
    try pane.expectRestored(status: 0)
  }

  @Test(arguments: [SIGTERM, SIGHUP])
  func beingTold(signal: Int32) throws {
    let pane = try opened()
    kill(try pane.program(), signal)
    try pane.expectRestored(status: 128 + signal)
  }

  @Test(arguments: [SIGSEGV, SIGABRT, SIGILL, SIGBUS])
  func crashing(signal: Int32) throws {
    let pane = try opened()
    kill(try pane.program(), signal)
    try pane.expectRestored(status: 128 + signal)
  }

  @Test func unreadableModel() throws {
    let pane = try Pane([Pane.root.appending(path: "Samples/no-such-model").path])
    let text = try pane.wait(for: "exit status")
    #expect(text.contains("no-such-model"))
    #expect(!text.contains("exit status 0"))
    #expect(try pane.modes() == Pane.Modes(isAlternate: false, hasMouse: false, showsCursor: true))
  }

  @Test func suspendingAndResuming() throws {
    let pane = try Pane.interactive([model])
    try pane.wait(for: "q_proj")
    try pane.press("C-z")
    try pane.wait(for: "Stopped")
    #expect(try pane.modes() == Pane.Modes(isAlternate: false, hasMouse: false, showsCursor: true))
    try pane.type("fg\r")
    try pane.wait(for: "down_proj")
    #expect(try pane.modes() == Pane.Modes(isAlternate: true, hasMouse: true, showsCursor: false))
    try pane.press("q")
    try pane.wait(for: "the shell's screen") { !$0.contains("down_proj") }
    #expect(try pane.modes() == Pane.Modes(isAlternate: false, hasMouse: false, showsCursor: true))
  }
}
