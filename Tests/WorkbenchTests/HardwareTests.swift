import Checkpoints
import Compression
import Engine
import Fitting
import Tensors
import Terminal
import Tensors
import TestSupport
import Testing

@testable import Workbench

@Suite struct HardwareTests {
  private static let this = Machine(
    id: "this", name: "A Processor", kind: .this, memory: 8_000_000_000, reserved: 1_000_000_000,
    bandwidth: 60e9, arithmetic: 300e9, reached: .all, secondsABlock: 45e-6,
    sources: ["measured now"], cores: 2,
    rates: [
      .init(bits: 16, bytes: 60e9, operations: 300e9),
      .init(bits: 8.25, bytes: 40e9, operations: 600e9),
      .init(bits: 4.25, bytes: 50e9, operations: 600e9),
    ])
  private static let card = Machine(
    id: "card", name: "A Card", kind: .gpu, memory: 24_000_000_000, bandwidth: 1000e9,
    arithmetic: 100e12, watts: 300, price: 1, sources: ["https://example.org/card"])
  private static let watch = Machine(
    id: "watch", name: "A Watch", kind: .board, memory: 60_000_000, bandwidth: 1e9,
    arithmetic: 10e9, sources: ["https://example.org/watch"])

  private func session(_ columns: Int = 120, _ rows: Int = 36, glyphs: Glyphs = .unicode) -> App {
    var app = App(
      .synthetic(blocks: 3, name: "Tiny-135M"), columns: columns, rows: rows, glyphs: glyphs)
    app.press("F7")
    app.handle(.machine(.read([Self.card, Self.watch], flaw: nil)))
    app.handle(.machine(.measured(Self.this)))
    return app
  }

  @Test func machinesAreReadAndMeasuredOnce() {
    var app = App()
    app.press("F7")
    #expect(app.effects.contains(.measureMachine(readsFiles: true)))
    #expect(app.row("this machine").contains("is being measured"))
    app.clearEffects()
    app.press("F2", "F7")
    #expect(app.effects.allSatisfy { $0 != .measureMachine(readsFiles: true) })
    app.handle(.machine(.measured(Self.this)))
    app.press("r")
    #expect(app.effects.contains(.measureMachine(readsFiles: true)))
  }

  @Test func figuresFollowThePlan() {
    var app = session()
    let before = app.row("weights", "all tensors")
    app.press("F2")
    app.command("filter proj")
    app.press("a", "4", "Esc", "Esc", "F7")
    let after = app.row("weights", "all tensors")
    #expect(before != after && after != "")
    app.press("u")
    #expect(app.row("weights", "all tensors") == before)
  }

  @Test func whatDoesNotFitSaysSoInWords() {
    var app = session()
    #expect(app.row("watch").contains("-") && app.row("watch").contains("too little memory"))
    app.press("j", "j")
    #expect(app.screen.contains("A Watch") && app.row("short", "does not fit") != "")
  }

  @Test func contextBatchAndTypeAreChosen() {
    var app = session()
    // The model's own context is 2048, and no key goes beyond it.
    app.press("l", "L", "K")
    #expect(app.state.hardware.request == FitRequest(context: 2048, batch: 2, cache: .int8))
    app.press("h", "h", "H", "H")
    #expect(app.state.hardware.request == FitRequest(context: 512, batch: 1, cache: .int8))
    app.command("context 32k")
    app.command("batch 3")
    app.command("kv f32")
    #expect(app.state.hardware.request == FitRequest(context: 32_768, batch: 3, cache: .f32))
    #expect(app.screen.contains("x 32768 positions") && app.screen.contains("sequences"))
    app.command("context soup")
    #expect(app.state.line?.flaw?.contains("no number of tokens") == true)
    app.press("Esc")
    app.command("kv int4")
    #expect(app.state.line?.flaw == "Keys and values are f32, f16 or int8")
  }

  @Test func theMouseChoosesMachines() {
    var app = session()
    app.click(on: "card")
    #expect(app.state.hardware.cursor == 1 && app.screen.contains("A Card"))
    app.wheel(.wheelDown, over: "watch")
    #expect(app.state.hardware.cursor == 2)
    app.press("Esc")
    #expect(app.state.screen == .layers)
  }

  @Test func aMeasurementBesideAJobIsDoubted() {
    var app = session()
    app.command("calibrate text.txt")
    app.send(.jobStarted(JobID(1), .calibrate, title: "calibrate"))
    app.press("F7", "r")
    app.handle(.machine(.measured(Self.this)))
    #expect(app.state.notice?.text.contains("while a job ran") == true)
  }

  @Test func aBudgetMayBeMemoryWithContext() {
    var app = session()
    app.press("Enter")
    #expect(app.state.screen == .budget)
    #expect(app.state.notice?.text == "X measures sensitivity first")
    guard let model = app.state.model else { return }
    app.send(.sensitivity(nil, SyntheticSolver.sensitivity(of: model)))
    app.command("budget 100 MB with 1k of context")
    guard case .allocate(.bytes(let bytes), _)? = app.commands.last else {
      Issue.record("nothing was solved")
      return
    }
    // 3 blocks x 3 heads x 128 values x 2 B x 1024, and 512 x (3 x 576 + 2 x 1536) x 4 B with logits.
    #expect(bytes == 100_000_000 - 2_359_296 - (512 * 4800 * 4 + 49_152 * 4))
    app.command("budget 1 MB with 100k of context")
    #expect(app.state.line?.flaw?.contains("alone do not fit") == true)
  }

  @Test(arguments: [(80, 24), (120, 36), (200, 50)])
  func screens(columns: Int, rows: Int) throws {
    try expectGolden(session(columns, rows).screen, "hardware-\(columns)x\(rows)")
  }

  @Test func allIsReachedByScrolling() {
    var app = session(80, 24)
    for _ in 0..<20 { app.press("PgDn") }
    #expect(app.screen.contains("measured now"))
    for _ in 0..<20 { app.press("PgUp") }
    #expect(app.row("weights", "all tensors") != "")
  }

  @Test func itIsDrawnInASCII() {
    let app = session(120, 36, glyphs: .ascii)
    #expect(app.screen.unicodeScalars.allSatisfy { $0.isASCII })
  }
}

@Suite struct StartTests {
  private let entries = [
    StartEntry(
      group: .recent, name: "Tiny", path: "/models/tiny", bytes: 90_000_000, planPath: "four.yaml"),
    StartEntry(group: .ollama, name: "small:1b", path: "ollama:small:1b", bytes: 1_120_000_000),
    StartEntry(
      group: .sample, name: "scripture", path: "/samples/scripture", bytes: 11_500_000,
      note: "/samples/scripture"),
  ]

  private func session(_ columns: Int = 80, _ rows: Int = 24) -> App {
    var app = App(nil, columns: columns, rows: rows)
    app.command("models")
    return app
  }

  @Test func modelsAreListedAsTheyAreFound() throws {
    var app = session()
    #expect(app.effects == [.findModels(folder: nil)])
    #expect(app.screen.contains("Looking for models"))
    app.handle(.models(.found([entries[2], entries[1]])))
    app.handle(.models(.recent([entries[0]])))
    app.handle(.models(.done))
    #expect(app.state.start.entries == entries)
    try expectGolden(app.screen, "start-80x24")
    app.resize(200, 50)
    try expectGolden(app.screen, "start-200x50")
  }

  /// Its session knows the plan, so that the plan's file is not read beside it.
  @Test func enterOpensWithTheSessionThatItWasLeftIn() throws {
    let folder = try TemporaryFolder()
    do {
      var session = KeptSession(in: folder.path, model: .synthetic(path: folder.path))
      session.act { $0.press("a", "4") }
      session.act { $0.handle(.file(.planWritten(path: "four.yaml", $0.state.history.current))) }
    }
    var session = KeptSession(in: folder.path, model: nil)
    let recent = session.recentModels()
    session.act { app in
      app.command("models")
      app.handle(.models(.recent(recent)))
    }
    let entry = try #require(session.app.state.start.chosen)
    #expect(entry.group == .recent && entry.name == "Tiny" && entry.path == folder.path)
    #expect(entry.planPath == "four.yaml" && session.app.row("Tiny", "four.yaml") != "")
    session.act { $0.press("Enter") }
    #expect(session.asked.contains(.engine(.open(path: folder.path))))
    session.act { $0.send(.opened(.synthetic(path: folder.path))) }
    #expect(!session.asked.contains(.readPlan(path: "four.yaml")))
    #expect(session.app.screen.contains("Your last session, just now"))
    session.act { $0.press("y") }
    #expect(session.app.state.screen == .layers && session.app.state.history.name == "four")
  }

  @Test func theCursorStaysAtItsModel() {
    var app = session()
    app.handle(.models(.found([entries[1], entries[2]])))
    app.press("j")
    app.handle(.models(.recent([entries[0]])))
    #expect(app.state.start.chosen?.name == "scripture")
    app.press("k", "k", "k")
    #expect(app.state.start.chosen?.name == "Tiny")
  }

  @Test func theMouseChoosesAndOpens() {
    var app = session()
    app.handle(.models(.found(entries)))
    app.click(on: "small:1b")
    #expect(app.state.start.cursor == 1 && app.commands.isEmpty)
    app.click(on: "small:1b")
    #expect(app.commands == [.open(path: "ollama:small:1b")])
  }

  @Test func nothingFoundSaysWhatToDo() {
    var app = session()
    app.handle(.models(.done))
    #expect(app.screen.contains("o opens a path"))
    app.press("Enter", "Esc")
    #expect(app.state.screen == .start)
    app.press("o")
    #expect(app.state.line?.action == .open)
  }

  @Test func searchingAgainForgetsWhatIsGone() {
    var app = session()
    app.handle(.models(.found(entries)))
    app.handle(.models(.done))
    app.clearEffects()
    app.press("r")
    #expect(app.effects == [.findModels(folder: nil)] && app.state.start.entries.isEmpty)
  }
}
