import Compression
import Engine
import Export
import Inference
import Sessions
import Terminal
import Testing

@testable import Workbench

/// The export overlay: what it asks the engine for, and what it makes of the answers.
@Suite struct ExportOverlayTests {
  private static let refusals = [
    ExportRefusal(
      layer: "model.layers.0.mlp.up_proj", reason: "there is no such kernel",
      nearest: Scheme(quantization: QuantizationScheme(bits: 4, group: .size(64)))),
    ExportRefusal(layer: "model.layers.1.self_attn.q_proj", reason: "too odd", nearest: nil),
  ]

  /// What was asked for last.
  private func request(_ app: App) -> ExportRequest? {
    for case .previewExport(let request) in app.commands.reversed() { return request }
    return nil
  }

  private func answer(
    _ app: inout App, bytes: Int = 1_500_000, refusals: [ExportRefusal] = [],
    obstacle: String? = nil, notes: [String] = []
  ) throws {
    app.send(
      .exportPreview(
        ExportPreview(
          request: try #require(request(app)),
          files: refusals.isEmpty ? [ExportedFile(name: "model.bin", bytes: bytes)] : [],
          refusals: refusals, obstacle: obstacle, notes: notes)))
  }

  @Test func whatTheTargetComputesOtherwiseIsToldBefore() throws {
    var app = App()
    app.press("e")
    try answer(&app, notes: ["it sees more", "it weighs otherwise"])
    #expect(app.row("it sees more").contains("it sees more; it weighs otherwise"))
  }

  @Test func needsAModel() {
    var app = App(nil)
    app.press("e")
    #expect(app.state.overlay == nil)
    #expect(app.screen.contains("No model is open"))
  }

  @Test func targetsAreChosenByKeyAndMouse() throws {
    var app = App()
    app.press("e")
    #expect(request(app)?.target == .transformers)
    app.press("l")
    #expect(request(app)?.target == .vllm && request(app)?.format == .compressedTensors)
    app.press("h", "h")
    #expect(request(app)?.format == .report)
    app.click(on: " llama.cpp ")
    #expect(request(app)?.target == .llamaCpp && request(app)?.format == .gguf)
    #expect(request(app)?.path.hasSuffix(".gguf") == true)
    try answer(&app)
    #expect(app.screen.contains("1 file, 1.50 MB"))
    #expect(app.row("model.bin").contains("1500000"))
  }

  /// The first target that can hold the plan is offered, until somebody chooses.
  @Test func offersWhatFitsThePlan() {
    var app = App()
    app.press("a")
    app.command("method Q8_0")
    app.press("e")
    #expect(request(app)?.target == .llamaCpp)
    app.press("Left", "Esc", "e")
    #expect(request(app)?.target == .vllmCPU)
  }

  @Test func refusedLayersGetTheNearestInOneChange() throws {
    var app = App()
    app.press("e")
    try answer(&app, refusals: Self.refusals)
    #expect(app.screen.contains("transformers cannot hold 2 layers"))
    #expect(app.row("up_proj").contains("there is no such kernel"))
    app.press("Enter")
    #expect(app.commands.allSatisfy { if case .export = $0 { false } else { true } })
    let before = app.state.history.current
    app.clearEffects()
    app.press("n")
    let schemes = app.state.currentSnapshot?.schemes
    #expect(schemes?["model.layers.0.mlp.up_proj"] == Self.refusals[0].nearest)
    #expect(schemes?["model.layers.1.self_attn.q_proj"] == .keep)
    // The engine hears of the plan before it is asked again.
    guard case .setPlan? = app.commands.first, case .previewExport? = app.commands.last else {
      Issue.record("\(app.commands)")
      return
    }
    app.press("Esc", "u")
    #expect(app.state.history.current == before)
  }

  @Test func listsScroll() throws {
    var app = App(columns: 80, rows: 24)
    app.press("e")
    let many = (0..<40).map { ExportRefusal(layer: "layer \($0).", reason: "no", nearest: nil) }
    try answer(&app, refusals: many)
    #expect(app.screen.contains("layer 0.") && !app.screen.contains("layer 20."))
    app.press("PgDn", "PgDn", "j")
    #expect(!app.screen.contains("layer 16.") && app.screen.contains("layer 17."))
    app.press("PgUp", "PgUp", "PgUp")
    #expect(app.screen.contains("layer 0."))
  }

  @Test func pathIsAskedForAndComesBack() throws {
    var app = App()
    app.state.homeDirectory = "/home/me"
    app.press("e", "p", "ctrl-u")
    app.type("~/out")
    app.press("Enter")
    #expect(request(app)?.path == "/home/me/out")
    #expect(app.screen.contains("to ~/out"))
    app.press("p", "Esc")
    #expect(app.state.overlay == .export)
    app.press("Esc")
    app.command("export elsewhere")
    #expect(request(app)?.path == "elsewhere")
  }

  @Test func replacingIsAskedFor() throws {
    var app = App()
    app.press("e")
    try answer(&app, obstacle: "out exists already")
    #expect(app.screen.contains("out exists already"))
    app.press("Enter")
    #expect(app.commands.allSatisfy { if case .export = $0 { false } else { true } })
    app.press("r")
    #expect(request(app)?.replaces == true)
    #expect(app.screen.contains("replaces what is there"))
  }

  @Test func whereItGoesIsALink() throws {
    var app = App()
    #expect(app.frame.links.isEmpty)
    app.state.directory = "/home/me"
    app.press("e")
    app.state.export.path = "my model.gguf"
    let link = try #require(app.frame.links.first)
    #expect(link.address == "file:///home/me/my%20model.gguf")
    #expect(app.frame.row(link.row).contains("to my model.gguf"))
    // On another machine's files nothing here opens.
    app.state.engine.address = SSHAddress("ssh://host/model")
    #expect(app.frame.links.isEmpty)
  }

  /// Enter right after `e` is not lost while the engine works out what would be written.
  @Test func enterWaitsForWhatWouldBeWritten() throws {
    var app = App()
    app.press("e", "Enter")
    #expect(app.state.overlay == .export)
    try answer(&app)
    guard case .export? = app.commands.last else {
      Issue.record("\(app.commands)")
      return
    }
    app = App()
    app.press("e", "Enter", "Esc", "e")
    try answer(&app)
    if case .export? = app.commands.last { Issue.record("the overlay was closed in between") }
  }

  @Test func showsProgressAndWhatWasWritten() throws {
    var app = App()
    app.press("e")
    try answer(&app)
    app.press("Enter")
    guard case .export(let job, let request)? = app.commands.last else {
      Issue.record("\(app.commands)")
      return
    }
    app.send(.jobStarted(job, .export, title: "export"))
    app.send(
      .jobProgress(job, JobProgress(completed: 3_000_000, total: 12_000_000, secondsLeft: 75)))
    #expect(app.row("3.00 MB of 12.0 MB").contains("1:15 left"))
    app.clearEffects()
    app.press("Enter")
    #expect(app.commands.isEmpty)
    let written = ExportPreview(
      request: request, files: [ExportedFile(name: "model.bin", bytes: 1_500_000)])
    app.send(.exported(job, written))
    app.send(.jobEnded(job, .finished))
    #expect(app.screen.contains("1.50 MB written"))
    app.press("Esc", "F6")
    #expect(app.row("export").contains("1.50 MB written to"))
  }

  @Test func failuresAreSaidInTheOverlay() throws {
    var app = App(columns: 80, rows: 24)
    app.press("e")
    try answer(&app)
    app.press("Enter")
    guard case .export(let job, _)? = app.commands.last else {
      Issue.record("\(app.commands)")
      return
    }
    app.send(.jobStarted(job, .export, title: "export"))
    app.send(.jobEnded(job, .failed("the disk is full of something else, and a long story")))
    #expect(app.screen.contains("the disk is full"))
    app.press("ctrl-c")
    #expect(app.state.overlay == nil)
  }

  @Test func answersToOtherRequestsAreNoNews() throws {
    var app = App()
    app.press("e")
    let first = try #require(request(app))
    app.press("l")
    app.send(.exportPreview(ExportPreview(request: first, files: [], obstacle: "not this")))
    #expect(!app.screen.contains("not this"))
  }

  @Test func reportsTellWhatTheWorkbenchKnows() throws {
    var app = App()
    app.press("4", "c", "Enter")
    app.evaluate("some.txt", EvaluationSummary(tokens: 9, windows: 1, referencePPL: Estimate(7)))
    app.press("e")
    app.click(on: " recipe ")
    app.press("l")
    let notes = try #require(request(app)?.notes)
    #expect(notes.figures.map(\.name) == ["PPL of the original"])
    #expect(notes.figures.first?.how.contains("some.txt") == true)
    app.state.evaluations = EvaluationList()
    app.press("r")
    #expect(request(app)?.notes.figures.isEmpty == true)
  }

  @Test(arguments: [(80, 24), (120, 36), (60, 16)])
  func fitsTheScreen(columns: Int, rows: Int) throws {
    var app = App(columns: columns, rows: rows, glyphs: .ascii)
    app.press("e")
    try answer(&app, obstacle: String(repeating: "much to say ", count: 40))
    #expect(app.screen.contains("Export"))
    #expect(app.screen.allSatisfy { $0.isASCII })
  }
}
