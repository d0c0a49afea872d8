import Compression
import Engine
import Inference
import Terminal
import Testing

@testable import Workbench

@Suite struct CommandTests {
  @Test func completesCommands() {
    var app = App()
    app.press(":")
    app.type("spa")
    app.press("Tab")
    #expect(app.state.line?.editor.text == "sparsity ")
    app.type("2")
    app.press("Tab", "Tab")
    #expect(
      app.state.line?.editor.text == "sparsity 2:4" || app.state.line?.editor.text == "sparsity 25%"
    )
  }

  @Test func cyclesCompletionsBothWays() {
    var app = App()
    app.press(":")
    app.type("sort ")
    app.press("Tab")
    #expect(app.state.line?.editor.text == "sort natural")
    app.press("Tab")
    #expect(app.state.line?.editor.text == "sort size")
    app.press("S-Tab", "S-Tab")
    #expect(app.state.line?.editor.text == "sort sparsity")
  }

  @Test func anUnknownCommandIsNamed() {
    var app = App()
    app.command("frobnicate 3")
    #expect(app.state.line?.flaw?.contains("frobnicate") == true)
    app.press("Esc")
    #expect(app.state.line == nil)
  }

  @Test func remembersCommands() {
    var app = App()
    app.command("sort size")
    app.press(":", "Up")
    #expect(app.state.line?.editor.text == "sort size")
    app.press("Down")
    #expect(app.state.line?.editor.text == "")
  }

  @Test func completesPathsFromListings() {
    var app = App()
    app.press(":")
    app.type("plan Sa")
    #expect(app.effects.contains(.list(directory: "")))
    app.handle(.file(.listed(directory: "", names: ["Makefile", "Samples/", "Sources/"])))
    app.press("Tab")
    #expect(app.state.line?.editor.text == "plan Samples/")
    #expect(app.effects.contains(.list(directory: "Samples/")))
    app.handle(.file(.listed(directory: "Samples/", names: ["a.yaml", "b.yaml", ".hidden"])))
    app.press("Tab")
    #expect(app.state.line?.editor.text == "plan Samples/a.yaml")
  }

  @Test func savesUnderANameAndKnowsIt() {
    var app = App()
    app.press("a", "4", "w")
    #expect(app.state.line?.editor.text == "Tiny.plan.yaml")
    app.press("Enter")
    let plan = app.state.history.current
    #expect(
      app.effects.contains(.writePlan(plan, path: "Tiny.plan.yaml", overwrites: .nothing)))
    app.handle(.file(.planWritten(path: "Tiny.plan.yaml", plan)))
    #expect(app.state.history.isSaved)
    #expect(app.row("vise").contains("plan Tiny"))
    app.press("3")
    #expect(app.row("vise").contains("plan Tiny*"))
    app.clearEffects()
    app.press("w")
    #expect(
      app.effects.contains(
        .writePlan(
          app.state.history.current, path: "Tiny.plan.yaml",
          overwrites: .whatIsKnown(app.state.history.saved))))
  }

  @Test func asksBeforeOverwriting() {
    var app = App()
    app.command("write x.yaml")
    app.handle(.file(.planExists(path: "x.yaml")))
    #expect(app.screen.contains("There is a file x.yaml"))
    app.press("o")
    #expect(
      app.effects.contains(
        .writePlan(app.state.history.current, path: "x.yaml", overwrites: .anything)))
  }

  @Test func asksBeforeLosingWhatSomebodyElseWrote() {
    var app = App()
    app.press("a", "4")
    app.command("write x.yaml")
    app.handle(.file(.planChanged(path: "x.yaml")))
    #expect(app.screen.contains("x.yaml was changed elsewhere"))
    app.clearEffects()
    app.press("o")
    #expect(
      app.effects.contains(
        .writePlan(app.state.history.current, path: "x.yaml", overwrites: .anything)))
  }

  @Test func opensAPlanAsOneUndoableChange() {
    var app = App()
    let plan = Plan(rules: [PlanRule(layers: ["*.down_proj"], change: SchemeChange(bits: 3))])
    app.command("plan p.yaml")
    #expect(app.effects.contains(.readPlan(path: "p.yaml")))
    app.handle(.file(.planRead(path: "p.yaml", plan)))
    #expect(app.scheme("0.mlp.down_proj")?.quantization?.bits == 3)
    #expect(app.state.history.isSaved)
    app.press("u")
    #expect(app.scheme("0.mlp.down_proj") == .keep)
    #expect(!app.state.history.isSaved)
  }

  @Test func aPlanThatDoesNotFitChangesNothing() {
    var app = App()
    let plan = Plan(
      rules: [PlanRule(layers: ["*"], change: SchemeChange(bits: 4, group: .size(256)))])
    app.handle(.file(.planRead(path: "p.yaml", plan)))
    #expect(app.state.notice?.kind == .failure)
    #expect(app.state.notice?.text.contains("p.yaml") == true)
    #expect(app.state.history.past.isEmpty)
  }

  @Test func aPlanForAnotherModelWarns() {
    var app = App()
    let plan = Plan(
      model: "Other", fingerprint: "def",
      rules: [PlanRule(layers: ["*"], change: SchemeChange(bits: 4))])
    app.handle(.file(.planRead(path: "p.yaml", plan)))
    #expect(app.state.notice?.kind == .warning)
    #expect(app.scheme("0.mlp.down_proj")?.quantization?.bits == 4)
  }

  @Test func quitAsksOnlyIfThereIsSomethingToLose() {
    var app = App()
    app.press("q")
    #expect(app.effects.contains(.quit))
    app = App()
    app.press("a", "4", "q")
    #expect(!app.effects.contains(.quit))
    #expect(app.screen.contains("Unsaved plan"))
    app.press("Esc")
    #expect(app.state.overlay == nil)
    app.press("q", "d")
    #expect(app.effects.contains(.quit))
  }

  @Test func viNamesWriteAndQuit() {
    var app = App()
    app.press("a", "4")
    app.command("w x.yaml")
    let plan = app.state.history.current
    #expect(app.effects.contains(.writePlan(plan, path: "x.yaml", overwrites: .nothing)))
    app.command("q")
    #expect(app.screen.contains("Unsaved plan"))
    app.press("Esc")
    app.command("wq y.yaml")
    #expect(app.effects.contains(.writePlan(plan, path: "y.yaml", overwrites: .nothing)))
    #expect(!app.effects.contains(.quit))
    app.handle(.file(.planWritten(path: "y.yaml", plan)))
    #expect(app.effects.contains(.quit))
    app = App()
    app.press("a", "4")
    app.command("q!")
    #expect(app.effects.contains(.quit))
  }

  @Test func leavingTheFieldOfAPathQuitsNothing() {
    var app = App()
    app.press("a", "4")
    app.command("wq")
    app.press("Esc", "w", "Enter")
    app.handle(.file(.planWritten(path: "Tiny.plan.yaml", app.state.history.current)))
    #expect(!app.effects.contains(.quit))
  }

  @Test func whateverLeavesTheFieldOfAPathQuitsNothing() {
    for leave in ["F4", "F6"] {
      var app = App()
      app.press("a", "4")
      app.command("wq")
      #expect(app.state.line?.title == "write plan and quit to")
      app.press(leave, "F2", "w", "Enter")
      app.handle(.file(.planWritten(path: "Tiny.plan.yaml", app.state.history.current)))
      #expect(app.state.history.isSaved && !app.effects.contains(.quit), "\(leave)")
    }
    var app = App()
    app.press("a", "4")
    app.command("wq")
    app.press("Enter")
    app.handle(.file(.planWritten(path: "Tiny.plan.yaml", app.state.history.current)))
    #expect(app.effects.contains(.quit))
  }

  @Test func typingReplacesWhatAFieldOffers() {
    var app = App()
    app.press("w")
    app.type("b.yaml")
    #expect(app.state.line?.editor.text == "b.yaml")
    app.press("Esc", "w", "Home")
    app.type("my-")
    #expect(app.state.line?.editor.text == "my-Tiny.plan.yaml")
  }

  @Test func escapeClosesTheEvaluationAndNothingElse() {
    var app = App()
    app.press("a")
    app.state.overlay = .evaluation
    app.press("Esc")
    #expect(app.state.overlay == nil)
    #expect(!app.state.table.marks.isEmpty)
  }

  @Test func writingAndQuittingWaitsForTheFile() {
    var app = App()
    app.press("a", "4", "q", "w")
    let plan = app.state.history.current
    #expect(app.effects.contains(.writePlan(plan, path: "Tiny.plan.yaml", overwrites: .nothing)))
    #expect(!app.effects.contains(.quit))
    app.handle(.file(.planWritten(path: "Tiny.plan.yaml", plan)))
    #expect(app.effects.contains(.quit))
  }

  @Test func aFailedWriteDoesNotQuit() {
    var app = App()
    app.press("a", "4", "q", "w")
    app.handle(.file(.planUnwritable(path: "Tiny.plan.yaml", reason: "the disk is full")))
    #expect(!app.effects.contains(.quit))
    #expect(app.screen.contains("the disk is full"))
  }

  @Test func escapeNeverQuits() {
    var app = App()
    app.press("p")
    for _ in 0..<20 { app.press("Esc") }
    #expect(!app.effects.contains(.quit))
    #expect(app.state.pane == .table)
  }

  @Test func controlCCancelsTheJobInFrontAndTwiceQuits() {
    var app = App()
    app.send(.jobStarted(JobID(5), .compress, title: "compress"))
    app.press("ctrl-c")
    #expect(app.commands.last == .cancel(JobID(5)))
    app.press("j", "ctrl-c")
    #expect(!app.effects.contains(.quit))
    app.press("ctrl-c")
    #expect(app.effects.contains(.quit))
  }

  @Test func aLongPathKeepsItsFileNameOnTheJobsScreen() {
    var app = App(.synthetic(blocks: 1))
    app.command("evaluate /a/very/long/way/to/what/is/read/evaluation.txt")
    app.press("F6")
    #expect(app.row("evaluate", "read/evaluation.txt").contains("\(app.state.glyphs.ellipsis)"))
  }

  @Test func controlCOnTheJobsScreenCancelsTheSelectedJob() {
    var app = App()
    app.send(.jobStarted(JobID(5), .generate, title: "answer"))
    app.send(.jobStarted(JobID(6), .compress, title: "compress"))
    app.press("F6", "ctrl-c")
    #expect(app.commands.last == .cancel(JobID(6)))
  }

  @Test func evaluatesOnATextAndTellsTheResult() {
    var app = App()
    app.state.evaluationText = "Samples/evaluation.txt"
    app.press("a", "4", "x", "Enter")
    #expect(
      app.commands.last
        == .evaluate(JobID(1), EvaluationRequest(textPath: "Samples/evaluation.txt")))
    app.send(
      .evaluated(
        JobID(1),
        EvaluationSummary(
          tokens: 4096, windows: 16, referencePPL: Estimate(18.207), compressedPPL: Estimate(21.3),
          divergence: EvaluationSummary.Divergence(
            mean: Estimate(0.0312), median: Estimate(0.01), p99: Estimate(0.4), max: Estimate(3)),
          top1Agreement: Estimate(0.912))))
    #expect(app.row("bpw").contains("PPL 18.21 → 21.30   KLD 0.0312   top-1 91.2%"))
    app.press("E")
    #expect(app.screen.contains("KLD 99th percentile"))
    app.press("Esc", "3")
    #expect(app.row("bpw").contains("another plan"))
  }

  @Test func theHomeDirectoryIsWrittenOutForTheEngine() {
    var app = App()
    app.state.homeDirectory = "/home/me"
    app.command("open ~/models/x")
    #expect(app.commands.last == .open(path: "/home/me/models/x"))
  }

  @Test func anotherModelIsOpenedOnlyAfterAskingForUnsavedChanges() {
    var app = App()
    app.press("a", "4")
    app.clearEffects()
    app.command("open y")
    #expect(app.commands.isEmpty)
    app.press("d")
    #expect(app.commands == [.open(path: "y")])
  }

  @Test func pasteGoesIntoFieldsOnly() {
    var app = App()
    app.handle(.input(.paste("4q:quit\n")))
    #expect(app.effects.isEmpty)
    #expect(app.state.history.past.isEmpty)
    app.press("p")
    app.handle(.input(.paste("line one\nline two")))
    #expect(app.state.conversation.editor.text == "line one\nline two")
    app.press("Esc", ":")
    app.handle(.input(.paste("sort\tsize\n")))
    #expect(app.state.line?.editor.text == "sort size ")
  }

  @Test func goodNewsDoesNotHideBadNews() {
    var app = App(nil)
    app.state.warn("keys.yaml:2: unknown key")
    app.send(.opened(.synthetic()))
    #expect(app.screen.contains("! keys.yaml:2: unknown key"))
    app.press("j")
    #expect(app.state.notice == nil)
  }

  @Test func copiesRowsAndAnswers() {
    var app = App()
    app.press("j", "j", "4", "y")
    guard case .copy(let text)? = app.effects.last else {
      Issue.record("nothing was copied")
      return
    }
    #expect(text.hasPrefix("model.layers.0.self_attn.q_proj\t576x576\t4 bit g64 sym"))
  }

  @Test func endingSignalsQuitAtOnce() {
    var app = App()
    app.press("a", "4")
    app.handle(.input(.terminate(signal: 15)))
    #expect(app.effects.last == .end(signal: 15))
  }
}
