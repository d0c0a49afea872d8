import Allocation
import Checkpoints
import Compression
import Engine
import Export
import Foundation
import Sessions
import TestSupport
import Testing

@testable import Workbench

/// A session that ends in whatever way goes on where it was.
@Suite struct SessionTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(
    _ choice: SessionChoice = .ask, model: ModelDescription = .synthetic()
  ) -> KeptSession {
    KeptSession(in: folder.path, model: model, choice: choice)
  }

  /// Works for a while, and ends without a word.
  private func work(_ change: (inout App) -> Void) {
    var session = open()
    session.act(change)
  }

  @Test func everythingIsAsItWas() throws {
    var before: AppState?
    work { app in
      app.command("target llama.cpp")
      app.press("j", "j", "4", "j", "space", "space", "6", "u")
      app.command("sort bits")
      app.command("filter proj")
      app.command("write somewhere.yaml")
      app.answer("Tell me about the sea.", with: ["It", " is", " wide"])
      app.press("i", "j", "j", "j")
      before = app.state
    }
    var session = open()
    #expect(session.app.screen.contains("Your last session, just now"))
    #expect(session.app.screen.contains("go on where you were"))
    session.act { $0.press("y") }
    let (state, old) = (session.app.state, try #require(before))
    #expect(state.history == old.history && !state.history.past.isEmpty)
    #expect(!state.history.future.isEmpty)
    #expect(state.model?.schemes == old.model?.schemes)
    #expect(state.target == .llamaCpp)
    #expect(state.table.marks == old.table.marks && !state.table.marks.isEmpty)
    #expect(state.table.order == .bits && state.table.filter.text == "proj")
    #expect(state.table.row == old.table.row && state.table.cursor == old.table.cursor)
    #expect(state.table.top == old.table.top)
    #expect(state.inspector.tab == old.inspector.tab && state.pane == old.pane)
    #expect(state.conversation == old.conversation.kept)
    #expect(state.conversation.answer(.compressed).tokens.map(\.text) == ["It", " is", " wide"])
    #expect(state.commandHistory == old.commandHistory)
    #expect(session.asked.contains(.engine(.setPlan(old.history.current))))
    // What was undone can be redone.
    session.act { $0.press("ctrl-r") }
    #expect(session.app.state.notice?.text.hasPrefix("Redone: 6 bit") == true)
  }

  @Test func everyKeyIsKeptAtOnce() {
    let keys = [
      "j", "4", "space", "S", "5", "u", "v", "j", "G", "3", "2", "Enter", "/", "q", "Enter", "p",
      "H",
      "i", "Esc", "F4", "F5",
    ]
    for count in 1...keys.count {
      guard let folder = try? TemporaryFolder() else { return }
      var before = App(nil)
      do {
        var session = KeptSession(in: folder.path, choice: .resume)
        for key in keys.prefix(count) { session.act { $0.press(key) } }
        before = session.app
      }
      var again = KeptSession(in: folder.path, choice: .resume)
      again.app.state.notice = before.state.notice
      #expect(again.app.screen == before.screen, "after \(keys.prefix(count))")
    }
  }

  @Test func noBeginsAnewAndLosesNothing() {
    work { $0.press("a", "4") }
    work { app in
      app.press("n")
      #expect(app.state.history.past.isEmpty && app.state.overlay == nil)
    }
    // Nothing was done since: the same question comes again.
    do {
      var session = open()
      #expect(session.app.state.overlay != nil)
      session.act { $0.press("Esc") }
      session.act { $0.press("j", "j", "5") }
    }
    var session = open()
    session.act { $0.press("y") }
    #expect(session.app.scheme("0.self_attn.q_proj")?.quantization?.bits == 5)
    #expect(session.app.state.history.past.count == 1)
  }

  @Test func scriptsChooseWithoutAQuestion() {
    work { $0.press("a", "4") }
    do {
      let fresh = open(.fresh)
      #expect(fresh.app.state.overlay == nil && fresh.app.state.history.past.isEmpty)
    }
    let resumed = open(.resume)
    #expect(resumed.app.state.overlay == nil && resumed.app.state.history.past.count == 1)
  }

  /// Where nothing was done there is nothing to ask about; the place on the screen is the same all the same.
  @Test func aPlaceOnTheScreenIsFoundWithoutAQuestion() {
    work { $0.press("j", "j", "S", "F4") }
    let session = open()
    #expect(session.app.state.overlay == nil && session.app.state.notice == nil)
    #expect(session.app.state.screen == .compare && session.app.state.table.order != .natural)
  }

  @Test func aPlanOfTheCommandLineIsNotAskedAbout() {
    work { $0.press("a", "4") }
    var app = App(nil)
    app.state.pendingPlan = "other.yaml"
    app.send(.opened(.synthetic()))
    let found = FoundSession(
      .init(
        versions: [.init(plan: Plan(), change: "")], position: 0, saved: Plan(), file: nil,
        target: nil, bytes: 1, bitsPerWeight: 1, documents: [:]), age: 1)
    func find() -> AppEvent {
      .file(.sessionFound(fingerprint: "abc", found, sensitivity: nil, hasSensitivity: false))
    }
    app.handle(find())
    #expect(app.state.overlay == nil && app.effects.contains(.chooseSession(goesOn: false)))
    // The plan was for that model alone: the next one is asked about.
    app.send(.opened(.synthetic()))
    app.handle(find())
    #expect(app.screen.contains("Go on?"))
  }

  @Test func aLivingSessionIsNobodyElses() {
    var first = open()
    first.act { $0.press("a", "4") }
    var second = open()
    #expect(second.app.state.overlay == nil)
    second.act { $0.press("a", "5") }
    #expect(first.app.state.history.past.count == 1)
  }

  @Test func anotherModelHasItsOwn() {
    work { $0.press("a", "4") }
    var other = ModelDescription.synthetic()
    other = ModelDescription(
      name: "Other", path: other.path, format: other.format, architecture: other.architecture,
      blueprint: other.blueprint, parameterCount: other.parameterCount,
      tensorBytes: other.tensorBytes, fingerprint: "other", layers: other.layers)
    #expect(open(model: other).app.state.overlay == nil)
    #expect(open().app.state.overlay != nil)
  }

  @Test func theThemeHoldsForEveryModel() {
    var session = open()
    let first = session.app.state.theme.name
    session.act { $0.press("T", "j", "j") }
    // A theme that is only looked at is not kept.
    #expect(open().app.state.theme.name == first)
    session.act { $0.press("Enter") }
    #expect(open().app.state.theme.name == session.app.state.theme.name)
    #expect(session.app.state.theme.name != first)
  }

  @Test func screensThatReadSomethingReadItAgain() {
    work { $0.press("F7") }
    let session = open(.resume)
    #expect(session.app.state.screen == .hardware)
    #expect(session.asked.contains(.measureMachine(readsFiles: true)))
  }

  @Test func aThemeThatIsReadLateIsShownUnlessAnotherWasChosen() {
    let (first, second) = (Theme.builtIn[0].name, Theme.builtIn[1].name)
    func found(_ name: String) -> AppEvent {
      var choices = KeptChoices()
      choices[.theme] = name
      return .file(.choicesFound(choices))
    }
    var app = App()
    app.handle(found(second))
    #expect(app.state.theme.name == second)
    #expect(!app.effects.contains(.keepChoice(.theme, second)), "what was read is not written")
    app = App()
    app.press("T", "j", "j", "Enter")
    #expect(app.state.theme.name == second)
    #expect(app.effects.contains(.keepChoice(.theme, second)))
    app.handle(found(first))
    #expect(app.state.theme.name == second)
  }

  // MARK: Pruned models

  private func prune() throws {
    let plan = try Plan(yaml: "vise: 1\nfingerprint: abc\nstructure:\n  blocks: [1]\nrules: []\n")
    var session = open(model: .synthetic(blocks: 3))
    session.act { app in
      app.handle(.file(.planRead(path: "p.yaml", plan)))
      app.send(.restructured(.synthetic(blocks: 2)))
      app.press("j", "j", "space", "F4")
    }
    #expect(!session.app.state.table.marks.isEmpty)
  }

  /// What is not put back before the engine has pruned the model is not overwritten meanwhile.
  @Test func aPrunedModelKeepsWhatWasLeftBesideItsPlan() throws {
    try prune()
    for _ in 0..<2 {
      var session = open(.resume, model: .synthetic(blocks: 3))
      #expect(session.app.state.session.pending?.marks.isEmpty == false)
      session.act { $0.press("F6") }
    }
    var session = open(.resume, model: .synthetic(blocks: 3))
    session.act { $0.send(.restructured(.synthetic(blocks: 2))) }
    #expect(!session.app.state.table.marks.isEmpty && session.app.state.screen == .compare)
  }

  @Test func aPruningThatIsRefusedBeginsAnewAndLosesNothing() throws {
    try prune()
    do {
      var session = open(.resume, model: .synthetic(blocks: 3))
      session.act { $0.send(.planRefused(reason: "there is no memory")) }
      #expect(session.app.state.notice?.text.contains("a new one begins") == true)
      #expect(session.app.state.history.current.structure == nil)
      #expect(session.app.state.history.past.isEmpty)
      session.act { $0.press("j") }
    }
    let session = open(.resume, model: .synthetic(blocks: 3))
    #expect(session.app.state.session.pending?.marks.isEmpty == false)
  }

  // MARK: Sensitivity and budgets

  @Test func sensitivityIsThereAtLaunch() throws {
    var session = open()
    let path = try #require(session.app.state.session.sensitivityPath)
    #expect(path == "\(folder.path)/sensitivity/abc.safetensors")
    #expect(!session.asked.contains(.engine(.openSensitivity(path: path))))
    session.act { app in
      app.know(by: JobID(7))
      app.press("F3", "P")
      app.command("budget 60MB")
    }
    #expect(session.asked.contains(.engine(.saveSensitivity(path: path))))
    try folder.write("kept".utf8, to: "sensitivity/abc.safetensors")
    var again = open(.fresh)
    #expect(again.asked.contains(.engine(.openSensitivity(path: path))))
    again.act { app in
      app.know(from: path)
    }
    #expect(again.app.state.model?.sensitivity.isEmpty == false)
    #expect(again.app.state.notice == nil, "what was known before is no news")
  }

  @Test func theBudgetIsAskedForAgain() throws {
    work { app in
      app.know(by: JobID(7))
      app.press("a", "4", "F3", "f")
      app.command("budget 60MB")
    }
    var session = open(.resume)
    #expect(session.app.state.screen == .budget && session.app.state.budget.fusesLayers)
    session.act { $0.know(from: "elsewhere") }
    #expect(session.app.state.budget.target == .bytes(60_000_000))
    let solves = session.asked.contains {
      if case .engine(.allocate(.bytes(60_000_000), _)) = $0 { true } else { false }
    }
    #expect(solves)
  }

  // MARK: What cannot be used

  @Test(arguments: ["no database", String(repeating: "not a page of SQLite ", count: 500)])
  func damageIsSaidOnceAndNothingIsOverwritten(contents: String) throws {
    try folder.write(contents.utf8, to: "sessions.sqlite")
    var session = open()
    #expect(session.app.state.notice?.kind == .warning)
    let said = session.app.state.notice?.text ?? ""
    #expect(said.contains("sessions.sqlite is damaged: nothing of this session is kept"))
    session.act { $0.press("a", "4") }
    #expect(session.app.state.notice?.kind != .warning)
    #expect(session.app.scheme("0.self_attn.q_proj")?.quantization?.bits == 4)
    #expect(try folder.bytes(of: "sessions.sqlite") == Array(contents.utf8))
  }

  /// One session and one evaluation that cannot be read take nothing else with them.
  @Test func whatCannotBeReadIsPassedOver() throws {
    work { app in
      app.press("a", "5")
      app.evaluate("text", .measured(0.1))
    }
    work { app in
      app.press("n", "a", "4")
      app.evaluate("text", .measured(0.2))
    }
    try sql("UPDATE plan SET yaml = 'bits: 4' WHERE yaml LIKE '%bits: 4%'")
    var session = open(.resume)
    #expect(session.app.scheme("0.self_attn.q_proj")?.quantization?.bits == 5)
    #expect(session.app.state.evaluations.all.count == 1)
    #expect(session.app.state.session.phase == .kept)
    session.act { $0.press("a", "3") }
    #expect(open(.resume).app.state.overlay == nil)
  }

  /// While nothing can be written, the quit prompt promises nothing, and what is written later is everything.
  @Test func aFailedWriteIsSaidAndTriedAgain() throws {
    var session = open()
    session.act { $0.press("a", "4") }
    try sql(
      "CREATE TRIGGER refuse BEFORE INSERT ON version BEGIN SELECT RAISE(ABORT, 'not now'); END")
    session.act { $0.press("5") }
    #expect(session.app.state.notice?.text.contains("the last change is not kept yet") == true)
    session.act { $0.press("q") }
    #expect(session.app.screen.contains("drop the changes"))
    try sql("DROP TRIGGER refuse")
    session.act { $0.press("Esc") }
    session.act { $0.press("q") }
    #expect(!session.app.screen.contains("drop the changes"))
    #expect(session.app.screen.contains("the session is kept"))
    #expect(try sql("SELECT count(*) FROM version") == "3")
  }

  /// Changes the database as another program would; returns the first value that the statement gives.
  @discardableResult
  private func sql(_ statement: String) throws -> String {
    let script = """
      import sqlite3, sys
      db = sqlite3.connect(sys.argv[1])
      for row in db.execute(sys.argv[2]): print(row[0], end="")
      db.commit()
      """
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script, "\(folder.path)/sessions.sqlite", statement]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return String(decoding: data, as: UTF8.self)
  }

  @Test func aPlanThatFitsNoMoreBeginsAnew() {
    work { $0.press("a", "4") }
    // The same fingerprint, but rows that the plan's groups do not divide.
    var session = open(model: .synthetic(hidden: 72))
    session.act { $0.press("y") }
    #expect(session.app.state.notice?.text.contains("does not fit the model any more") == true)
    #expect(session.app.state.history.past.isEmpty)
  }
}
