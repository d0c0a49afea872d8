import Dispatch
import Glibc
import Testing

@testable import Terminal

/// What the terminal is asked and told beside what it paints; in the same suite, as one process has one screen.
extension ScreenTests {
  // MARK: Asking the terminal

  private static let question = "\u{1B}]11;?\u{1B}\\\u{1B}[?u\u{1B}[c"

  private func asking(_ terminal: PseudoTerminal, _ term: String = "xterm-256color") throws
    -> Screen
  {
    try terminal.open(term, options: TerminalOptions(forcesUTF8: true, asksTerminal: true))
  }

  @Test func theTerminalTellsItsGroundAndItsKeys() throws {
    let terminal = try PseudoTerminal()
    let screen = try asking(terminal)
    #expect(terminal.output().contains(Self.question))
    terminal.type("j\u{1B}]11;rgb:fafa/fafa/f0f0\u{1B}\\\u{1B}[?0u\u{1B}[?62ck")
    let keys = ["j", "k"].map { InputEvent.key(KeyPress(.character($0))) }
    var events: [InputEvent] = []
    while events.count < 3 { events += screen.nextEvents() }
    #expect(events.filter { $0 != .background(isLight: true) } == keys)
    #expect(events.contains(.background(isLight: true)))
    #expect(terminal.output().contains("\u{1B}[>1u"))
    screen.release()
    #expect(terminal.output().contains("\u{1B}[<u"))
    screen.takeBack()
    #expect(terminal.output().contains("\u{1B}[>1u"))
    screen.close()
    #expect(terminal.output().contains("\u{1B}[<u"))
  }

  @Test func keysStayAsTheyAreWhereTheTerminalKnowsNoOthers() throws {
    let terminal = try PseudoTerminal()
    let screen = try asking(terminal)
    terminal.type("\u{1B}[?62c")
    #expect(screen.nextEvents(timeoutMilliseconds: 50).isEmpty)
    #expect(!terminal.output().contains("\u{1B}[>1u"))
  }

  @Test(arguments: ["linux", "vt100"]) func consolesAreNotAsked(term: String) throws {
    let terminal = try PseudoTerminal()
    _ = try asking(terminal, term)
    #expect(!terminal.output().contains(Self.question))
  }

  /// The shell would take an answer that comes after the end for what its user types.
  @Test func answersOnTheirWayAreTakenBeforeTheEnd() throws {
    let terminal = try PseudoTerminal()
    let screen = try asking(terminal)
    terminal.type("\u{1B}]11;rgb:0/0/0\u{7}\u{1B}[?62c")
    screen.close()
    var left = pollfd(fd: screen.device.input, events: Int16(POLLIN), revents: 0)
    #expect(poll(&left, 1, 0) == 0)
  }

  // MARK: Links and calls

  @Test func linksAreGivenToTheTerminalAndTakenBack() throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open()
    var linked = frame("to a file", red, on: screen)
    let link = try #require(Link(path: "/tmp/a b\u{7}", row: 0, columns: 3..<9))
    linked.links = [link]
    screen.present(linked)
    #expect(!terminal.output().contains("]8;"))
    screen.setLinks(true)
    screen.present(linked)
    let output = terminal.output()
    #expect(output.contains("\u{1B}]8;;file:///tmp/a%20b%07\u{1B}\\"))
    #expect(output.contains("a file\u{1B}]8;;\u{1B}\\\u{1B}8"))
    var other = linked
    other.put("x", at: Point(column: 0, row: 2))
    screen.present(other)
    #expect(!terminal.output().contains("]8;"))
    other.links = []
    screen.present(other)
    #expect(terminal.output().contains("\u{1B}]8;;\u{1B}\\"))
  }

  @Test func onlyAddressesThatAreHarmlessAreLinks() {
    #expect(
      Link(url: "http://localhost:8000/v1?x=ä", row: 0, columns: 0..<1)?.address
        == "http://localhost:8000/v1?x=%C3%A4")
    #expect(Link(url: "javascript:alert(1)", row: 0, columns: 0..<1) == nil)
    #expect(Link(url: "https://a\u{1B}\\b", row: 0, columns: 0..<1)?.address == "https://a%1B%5Cb")
    #expect(Link(path: "relative", row: 0, columns: 0..<1) == nil)
  }

  @Test(arguments: [
    (Attention.off, [:], ""), (.bell, [:], "\u{7}"), (.osc9, [:], "\u{1B}]9;a,b c\u{1B}\\"),
    (.osc777, [:], "\u{1B}]777;notify;vise;a,b c\u{1B}\\"),
    (.osc9, ["TMUX": "x"], "\u{1B}Ptmux;\u{1B}\u{1B}]9;a,b c\u{1B}\u{1B}\\\u{1B}\\"),
  ])
  func callsTheUser(by attention: Attention, environment: [String: String], sent: String) throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open("xterm-256color", environment)
    _ = terminal.output()
    screen.call("a;b\u{1B}\u{9D} c", by: attention)
    #expect(terminal.output() == sent)
  }
}
