import Dispatch
import Glibc
import Testing

@testable import Terminal

/// Everything that opens a screen; curses knows only one at a time.
@Suite(.serialized) struct ScreenTests {
  let red = Style(foreground: .rgb(255, 128, 0))

  func frame(_ text: String, _ style: Style = .plain, on screen: Screen) -> Frame {
    var frame = Frame(size: screen.size)
    frame.put(text, at: Point(column: 0, row: 0), style: style)
    return frame
  }

  // MARK: Opening and closing

  @Test func entersAndLeavesEverything() throws {
    let terminal = try PseudoTerminal()
    let before = terminal.settings
    let screen = try terminal.open()
    let entering = terminal.output()
    for sequence in ["\u{1B}[?1049h", "\u{1B}[?2004h", "\u{1B}[?1006h"] {
      #expect(entering.contains(sequence))
    }
    #expect(terminal.settings.c_lflag & tcflag_t(ICANON | ECHO | ISIG) == 0)
    screen.close()
    let leaving = terminal.output()
    for sequence in ["[?1049l", "[?2004l", "[?1006l", "[?1002l", "[?1000l", "[?25h"] {
      #expect(leaving.contains("\u{1B}" + sequence))
    }
    #expect(terminal.settings.c_lflag == before.c_lflag)
    #expect(terminal.settings.c_iflag == before.c_iflag)
    #expect(terminal.settings.c_oflag == before.c_oflag)
    screen.close()
    #expect(terminal.output().isEmpty)
  }

  @Test func closesWhenItIsReleased() throws {
    let terminal = try PseudoTerminal()
    do {
      let screen = try terminal.open()
      screen.present(frame("x", on: screen))
    }
    #expect(terminal.output().contains("\u{1B}[?1049l"))
    _ = try terminal.open()
  }

  @Test(arguments: [
    "xterm-256color", "tmux-256color", "screen", "linux", "vt100", "rxvt", "xterm-kitty", "foobar",
  ])
  func opensOn(term: String) throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open(term)
    screen.present(frame("hello", red, on: screen))
    #expect(terminal.output().contains("hello"))
    let isLimited = ["linux", "vt100"].contains(term)
    #expect(screen.reportsMouse != isLimited)
  }

  @Test func refusesWhatIsNoTerminal() throws {
    let terminal = try PseudoTerminal()
    var device = terminal.device(["TERM": "xterm"])
    let file = Glibc.open("/dev/null", O_RDWR)
    defer { close(file) }
    device.output = file
    let error = #expect(throws: TerminalError.self) {
      try Screen(options: TerminalOptions(), device: device)
    }
    #expect(error?.code == .notATerminal)
    #expect(error?.description.contains("standard output is not a terminal") == true)
    device.input = file
    let other = #expect(throws: TerminalError.self) {
      try Screen(options: TerminalOptions(), device: device)
    }
    #expect(other?.description.contains("standard input") == true)
  }

  @Test(arguments: ["dumb", ""]) func refusesTerminalsWithoutACursor(term: String) throws {
    let terminal = try PseudoTerminal()
    let before = terminal.settings
    let error = #expect(throws: TerminalError.self) { try terminal.open(term) }
    #expect(error?.code == .unsuitableTerminal)
    #expect(error?.description.contains("TERM=xterm-256color") == true)
    #expect(terminal.settings.c_lflag == before.c_lflag)
    #expect(terminal.output().isEmpty)
  }

  // MARK: Painting

  @Test func sendsOnlyWhatChanges() throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open()
    var frame = frame("SQNR 32.8 dB", on: screen)
    screen.present(frame)
    _ = terminal.output()
    screen.present(frame)
    #expect(terminal.output().isEmpty)
    frame.put("9", at: Point(column: 8, row: 0))
    screen.present(frame)
    let change = terminal.output()
    #expect(change.contains("9"))
    #expect(!change.contains("SQNR"))
    #expect(change.hasPrefix("\u{1B}[?2026h"))
    #expect(change.hasSuffix("\u{1B}[?2026l"))
    screen.redraw()
    #expect(terminal.output().contains("SQNR 32.9 dB"))
  }

  @Test func keysWaitingDoNotHoldBackAnUpdate() throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open()
    terminal.type("jjjj")
    screen.present(frame("hello", on: screen))
    #expect(terminal.output().contains("hello"))
  }

  @Test(arguments: [
    (ColorDepth.trueColor, "38;2;255;128;0"), (.indexed256, "38;5;208"), (.ansi16, "[91m"),
    (.ansi8, "[31m"),
  ])
  func colors(depth: ColorDepth, sequence: String) throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open(options: TerminalOptions(colorDepth: depth, forcesUTF8: true))
    screen.present(frame("x", red, on: screen))
    let output = terminal.output()
    #expect(output.contains(sequence))
    #expect(depth == .trueColor || !output.contains("38;2"))
  }

  @Test(arguments: ["xterm", "linux"]) func eightColorsAreBrightByBold(term: String) throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open(term)
    #expect(screen.colorDepth == .ansi8)
    _ = terminal.output()
    screen.present(frame("x", Style(foreground: .ansi(9), background: .ansi(12)), on: screen))
    let output = terminal.output()
    #expect(output.contains("31"))
    #expect(output.contains("44"))
    #expect(output.contains("1m"))
    #expect(!output.contains("91") && !output.contains("104"))
  }

  @Test func blackIsBlackAndNotTheTerminals() throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open("xterm-256color", ["COLORTERM": "truecolor"])
    let style = Style(foreground: .rgb(0, 0, 7), background: .rgb(0, 0, 0))
    screen.present(frame("x", style, on: screen))
    let output = terminal.output()
    #expect(output.contains("38;2;0;0;7") && output.contains("48;2;0;0;0"))
  }

  @Test(arguments: [("xterm-256color", ["NO_COLOR": "1"]), ("vt100", [:])])
  func withoutColorsAttributesRemain(term: String, environment: [String: String]) throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open(term, environment)
    #expect(screen.colorDepth == .none)
    _ = terminal.output()
    screen.present(frame("x", red.adding([.bold, .reverse]), on: screen))
    let output = terminal.output()
    #expect(output.contains("1") && output.contains("7") && output.contains("x"))
    #expect(!output.contains("[3") && !output.contains(";3") && !output.contains("208"))
  }

  @Test func showsWideAndCombinedGlyphs() throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open()
    screen.present(frame("中文 e\u{301} ⣿╭", on: screen))
    #expect(terminal.output().contains("中文 e\u{301} ⣿╭"))
  }

  @Test func withoutUTF8EverythingIsASCII() throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open(options: TerminalOptions(forcesASCII: true, forcesUTF8: true))
    #expect(!screen.isUTF8)
    var frame = frame("a█中é…", on: screen)
    frame.drawBox(Rect(column: 0, row: 1, columns: 5, rows: 2))
    screen.present(frame)
    let output = terminal.output()
    #expect(output.contains("a#??e."))
    #expect(output.contains("+---+"))
    #expect(output.utf8.allSatisfy { $0 < 0x80 })
  }

  @Test func framesOfAnotherSizeAreClippedOrFilled() throws {
    let terminal = try PseudoTerminal(size: Size(columns: 5, rows: 2))
    let screen = try terminal.open()
    var large = Frame(size: Size(columns: 200, rows: 90))
    large.put("0123456789", at: Point(column: 0, row: 0))
    large.cursor = Point(column: 150, row: 80)
    screen.present(large)
    let output = terminal.output()
    #expect(output.contains("01234") && !output.contains("012345"))
    screen.present(Frame(size: Size(columns: 0, rows: 0)))
    #expect(terminal.output().contains("\u{1B}[J"))
  }

  @Test func theCursorGoesWhereTheFrameSays() throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open()
    var frame = frame("name:", on: screen)
    screen.present(frame)
    _ = terminal.output()
    frame.cursor = Point(column: 11, row: 4)
    frame.showsCursor = true
    screen.present(frame)
    let output = terminal.output()
    #expect(output.contains("\u{1B}[5;12H"))
    #expect(output.contains("\u{1B}[?25h"))
  }

  @Test func copiesThroughTheTerminal() throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open()
    _ = terminal.output()
    screen.copyToClipboard("blk ü")
    #expect(terminal.output() == "\u{1B}]52;c;YmxrIMO8\u{7}")
  }

  // MARK: Events

  @Test func eventsArriveInOrder() throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open()
    terminal.type("j\u{1B}[A\u{1B}[200~two\rlines\u{1B}[201~\u{1B}[<0;3;2M\u{1B}[<32;4;2M")
    terminal.type("\u{1B}[<32;9;2M\u{1B}[<0;9;2m\u{1B}x")
    #expect(
      screen.nextEvents() == [
        .key(KeyPress(.character("j"))), .key(KeyPress(.up)), .paste("two\nlines"),
        .mouse(MouseEvent(point: Point(column: 2, row: 1), action: .press)),
        .mouse(MouseEvent(point: Point(column: 8, row: 1), action: .drag)),
        .mouse(MouseEvent(point: Point(column: 8, row: 1), action: .release)),
        .key(KeyPress(.character("x"), .alt)),
      ])
    #expect(screen.nextEvents(timeoutMilliseconds: 0).isEmpty)
  }

  @Test func aLoneEscapeIsAKey() throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open()
    terminal.type("\u{1B}")
    #expect(screen.nextEvents() == [.key(KeyPress(.escape))])
  }

  @Test func theRestOfASequenceIsWaitedFor() throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open("xterm", ["ESCDELAY": "5000"])
    terminal.type("\u{1B}")
    let keyboard = terminal.keyboard
    DispatchQueue.global().async { keyboard.type("[1;5C") }
    #expect(screen.nextEvents() == [.key(KeyPress(.right, .control))])
  }

  @Test func manyWakesAreOneEvent() throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open()
    let handle = screen.wakeHandle
    for _ in 0..<100_000 { handle.wake() }
    #expect(screen.nextEvents() == [.wake])
    #expect(screen.nextEvents(timeoutMilliseconds: 0).isEmpty)
    DispatchQueue.global().async { handle.wake() }
    #expect(screen.nextEvents() == [.wake])
  }

  @Test func resizesAreOneEvent() throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open()
    screen.present(frame("before", on: screen))
    for columns in 20..<60 {
      terminal.resize(Size(columns: columns, rows: 5))
      raise(SIGWINCH)
    }
    #expect(screen.nextEvents() == [.resize(Size(columns: 59, rows: 5))])
    #expect(screen.size == Size(columns: 59, rows: 5))
    _ = terminal.output()
    screen.present(frame("after", on: screen))
    #expect(terminal.output().contains("after"))
    raise(SIGWINCH)
    #expect(screen.nextEvents(timeoutMilliseconds: 0).isEmpty)
    #expect(terminal.output().contains("after"))
  }

  /// A size that changes and changes back leaves nothing painted, though the frame to show is the one before.
  @Test func aSizeThatComesBackNeedsAFrame() throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open()
    #expect(screen.needsFrame)
    let size = screen.size
    let same = frame("same", on: screen)
    screen.present(same)
    #expect(!screen.needsFrame)
    for next in [Size(columns: size.columns + 40, rows: size.rows + 9), size] {
      terminal.resize(next)
      raise(SIGWINCH)
      #expect(screen.nextEvents() == [.resize(next)])
    }
    #expect(screen.needsFrame)
    _ = terminal.output()
    screen.present(same)
    #expect(terminal.output().contains("same"))
    #expect(!screen.needsFrame)
  }

  @Test func tinyTerminalsDoNoHarm() throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open()
    for size in [
      Size(columns: 1, rows: 1), Size(columns: 2, rows: 1), Size(columns: 90, rows: 30),
    ] {
      terminal.resize(size)
      raise(SIGWINCH)
      #expect(screen.nextEvents() == [.resize(size)])
      var frame = Frame(size: size)
      frame.fill(frame.bounds, with: "x")
      frame.put("中", at: Point(column: 0, row: 0))
      screen.present(frame)
      #expect(terminal.output().contains(size.columns == 1 ? "x" : "中") || size.columns == 1)
    }
  }

  @Test(arguments: [SIGTERM, SIGHUP, SIGINT, SIGQUIT]) func requestsToEndAreEvents(
    signal: Int32
  ) throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open()
    raise(signal)
    #expect(screen.nextEvents() == [.terminate(signal: signal)])
  }

  @Test func continuingSetsTheScreenUpAgain() throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open()
    screen.present(frame("hello", on: screen))
    var spoiled = terminal.settings
    spoiled.c_lflag |= tcflag_t(ECHO | ICANON)
    tcsetattr(screen.device.output, TCSANOW, &spoiled)
    _ = terminal.output()
    raise(SIGCONT)
    #expect(screen.nextEvents() == [.resumed])
    #expect(terminal.settings.c_lflag & tcflag_t(ICANON | ECHO) == 0)
    let output = terminal.output()
    for text in ["\u{1B}[?1049h", "\u{1B}[?2004h", "\u{1B}[?1002h", "hello"] {
      #expect(output.contains(text))
    }
  }

  @Test func handlersAreGoneAfterClosing() throws {
    let terminal = try PseudoTerminal()
    var before = sigaction()
    var after = sigaction()
    sigaction(SIGTERM, nil, &before)
    try terminal.open().close()
    sigaction(SIGTERM, nil, &after)
    #expect(
      unsafeBitCast(before.__sigaction_handler.sa_handler, to: Int.self)
        == unsafeBitCast(after.__sigaction_handler.sa_handler, to: Int.self))
  }

  @Test func aClosedWindowEndsTheInputOnce() throws {
    let terminal = try PseudoTerminal()
    let screen = try terminal.open()
    terminal.hangUp()
    #expect(screen.nextEvents() == [.endOfInput])
    #expect(screen.nextEvents(timeoutMilliseconds: 0).isEmpty)
  }
}
