import Engine
import Terminal
import Testing

@testable import Workbench

@Suite struct MouseTests {
  @Test func aClickSelectsTheRowAndFocusesTheTable() {
    var app = App()
    app.press("p")
    app.click(on: "up_proj")
    #expect(app.cursorLayer == "model.layers.0.mlp.up_proj")
    #expect(app.state.pane == .table)
  }

  @Test func aSecondClickOnABlockFoldsIt() {
    var app = App()
    app.click(on: "▾ block 0")
    #expect(app.state.table.folded.isEmpty)
    app.click(on: "▾ block 0")
    #expect(app.state.table.folded == [0])
  }

  @Test func aClickOnTheMarginMarks() {
    var app = App()
    let row = app.place(of: "k_proj")?.row ?? 0
    app.click(1, row)
    #expect(app.state.table.marks == [2])
  }

  @Test func theWheelScrollsWhatIsUnderIt() {
    var app = App(.synthetic(blocks: 8), columns: 80, rows: 24)
    app.wheel(.wheelDown, over: "q_proj")
    #expect(app.state.table.top == 3)
    app.wheel(.wheelUp, over: "▾ block")
    #expect(app.state.table.top == 0)
  }

  @Test(arguments: [60, 80, 120, 200])
  func aClickOnAFooterLabelIsItsKey(columns: Int) {
    let app = App(columns: columns, rows: 40)
    let layout = ScreenLayout(app.state, size: app.state.size)
    for item in Footer(app.state, in: layout.footer).items {
      #expect(app.state.hit(item.rect.origin) == .footer(item.entry))
    }
  }

  @Test func footerLabelsAct() {
    var app = App(columns: 200, rows: 40)
    app.click(on: "? help")
    #expect(app.state.overlay == .help(HelpPage()))
    app.press("Esc")
    app.click(on: "s sparsity")
    #expect(app.state.line?.purpose == .argument(.sparsity))
    app.press("Esc")
    app.click(on: "2-8 bits")
    #expect(app.state.line?.purpose == .argument(.bits))
  }

  @Test func headingsSort() {
    var app = App()
    app.click(on: "size")
    #expect(app.state.table.order == .size)
    app.click(on: "layer ")
    #expect(app.state.table.order == .natural)
  }

  @Test func tabsShowPanesAndInspectorTabs() {
    var app = App(columns: 80, rows: 24)
    app.press("j", "j")
    app.click(on: " Prompt ")
    #expect(app.state.pane == .prompt)
    app.click(on: " Inspector ")
    #expect(app.state.pane == .inspector)
    app.click(on: " channels ")
    #expect(app.state.inspector.tab == .channels)
  }

  @Test func clicksInOverlays() {
    var app = App()
    app.press("T")
    app.click(on: "mono")
    #expect(app.state.theme.name == "mono")
    app.click(0, 0)
    #expect(app.state.overlay == nil)
    app.press("a", "4", "q")
    app.click(on: "quit, drop the changes")
    #expect(app.effects.contains(.quit))
  }

  @Test func aClickPlacesTheCaret() {
    var app = App()
    app.press("p")
    app.type("hello")
    guard let place = app.place(of: "hello") else { return }
    app.click(place.column + 2, place.row)
    app.type("X")
    #expect(app.state.conversation.editor.text == "heXllo")
  }
}

@Suite struct OverlayTests {
  @Test func helpListsTheKeyTableAndScrolls() {
    var app = App(columns: 80, rows: 24)
    app.press("?")
    #expect(app.screen.contains("Quantize the marked layers"))
    app.press("End")
    #expect(app.screen.contains("footer label is its key"))
    app.press("q")
    #expect(app.state.overlay == nil)
  }

  @Test func thePaletteFindsByLettersAndRuns() {
    var app = App()
    app.press("ctrl-p")
    app.type("unfo")
    #expect(app.screen.contains("unfold-all"))
    app.press("Esc", "-", "ctrl-p")
    app.type("unfold")
    app.press("Enter")
    #expect(app.state.table.folded.isEmpty)
    #expect(app.state.overlay == nil)
  }

  @Test func thePaletteAsksForArguments() {
    var app = App()
    app.press("ctrl-p")
    app.type("sparsity")
    app.press("Enter")
    #expect(app.state.line?.purpose == .argument(.sparsity))
  }

  @Test func thePaletteOpensWhileTyping() {
    var app = App()
    app.press("p")
    app.type("abc")
    app.press("ctrl-p")
    app.type("jobs")
    app.press("Enter")
    #expect(app.state.screen == .jobs)
    #expect(app.state.conversation.editor.text == "abc")
  }

  @Test func themesPreviewAndGoBack() {
    var app = App()
    app.press("T", "j", "j")
    #expect(app.state.theme.name == "mono")
    app.press("Esc")
    #expect(app.state.theme.name == "ansi" && app.state.isThemeAutomatic)
    app.press("T", "j", "j", "Enter", "t")
    #expect(app.state.theme.name == "ansi")
  }

  @Test func jobsScreenListsWhatRanAndHowItEnded() {
    var app = App()
    app.send(.jobStarted(JobID(1), .compress, title: "12 layers"))
    app.send(.jobProgress(JobID(1), JobProgress(completed: 3, total: 12, secondsLeft: 41)))
    #expect(app.row("vise").contains("3/12  0:41 left"))
    app.press("F6")
    #expect(app.row("12 layers").contains("3/12"))
    app.send(.jobEnded(JobID(1), .failed("the disk is full")))
    #expect(app.row("12 layers").contains("failed: the disk is full"))
    app.press("F2")
    #expect(app.state.screen == .layers)
    app.command("evaluate a.txt")
    app.send(.jobStarted(JobID(1), .evaluate, title: "evaluate"))
    app.press("F6")
    #expect(app.row("evaluate", "a.txt").contains("running"))
  }

  @Test func whatFailsToOpenSaysWhy() {
    var app = App(nil)
    app.state.opening = .opening(path: "x.gguf")
    #expect(app.screen.contains("Opening"))
    app.send(.openFailed(path: "x.gguf", reason: "x.gguf is no GGUF file"))
    #expect(app.screen.contains("x.gguf is no GGUF file"))
    app.press("4", "a", "p")
    app.type("hello")
    app.press("Enter")
    #expect(app.commands.isEmpty)
  }
}
