import Allocation
import Checkpoints
import Compression
import Engine
import Inference
import Sessions
import Tensors
import Terminal
import Testing

@testable import Workbench

@Suite struct CompareTests {
  /// Two snapshots, both measured on the same text, the first with an answer.
  private func session(_ columns: Int = 120, _ rows: Int = 36, glyphs: Glyphs = .unicode) -> App {
    var app = App(
      .synthetic(blocks: 3, name: "Tiny-135M"), columns: columns, rows: rows, glyphs: glyphs)
    app.command("filter proj")
    app.press("a", "4", "Esc", "Esc")
    evaluate(&app, mean: 0.11)
    app.command("prompt Tell me")
    for (index, word) in ["The", " sea", " is", " wide."].enumerated() {
      let token = GeneratedToken(
        side: .compressed, index: index, id: index, text: word, tokensPerSecond: 143.2)
      app.send(.token(JobID(2), token))
    }
    app.send(.answerEnded(JobID(2), .compressed, .endOfText))
    app.press("Esc")
    app.command("snapshot all-4")
    app.command("filter down")
    app.press("a", "6", "Esc", "Esc")
    app.send(.predicted(PredictedDivergence(mean: 0.06, low: 0.05, high: 0.08)))
    app.command("snapshot down-6")
    evaluate(&app, mean: 0.07)
    app.press("F4")
    app.state.notice = nil
    return app
  }

  private func evaluate(_ app: inout App, mean: Double) {
    app.command("evaluate text.txt")
    guard case .evaluate(let id, _)? = app.commands.last else { return }
    app.send(.evaluated(id, .synthetic(mean: mean)))
  }

  @Test func snapshotsHoldWhatIsKnown() {
    let app = session()
    let row = app.row("all-4", "0.110")
    #expect(row.contains("±0.00200") && row.contains("143.2") && row.contains("91%"))
    #expect(app.state.snapshots.all.map(\.name) == ["all-4", "down-6"])
    // Measured after it was taken.
    #expect(app.row("down-6", "0.0700") != "")
    // The first belongs to another plan than the answer of the second.
    #expect(app.state.snapshots.all[1].answer == nil)
  }

  /// The plan, text and id of the evaluation that was asked for last.
  private func asked(_ app: App) throws -> (id: JobID, request: EvaluationRequest) {
    for case .evaluate(let id, let request) in app.commands.reversed() { return (id, request) }
    throw Failure("nothing is evaluated")
  }

  private struct Failure: Error {
    let what: String
    init(_ what: String) { self.what = what }
  }

  @Test func measuresAllThatIsNotMeasuredOnTheTextOneAfterAnother() throws {
    var app = session()
    let current = app.state.history.current
    app.press("a")
    app.state.line?.editor = LineEditor("other.txt")
    app.press("Enter")
    let plans = app.state.snapshots.all.map(\.plan)
    var measured: [Plan] = []
    for mean in [0.2, 0.1] {
      let (id, request) = try asked(app)
      #expect(request.textPath == "other.txt")
      measured.append(try #require(request.plan))
      #expect(app.state.jobs.jobs.last?.title.contains("of 2") == true)
      app.send(.evaluated(id, .synthetic(mean: mean)))
      app.send(.jobEnded(id, .finished))
    }
    // The plan as it is equals the second snapshot: it is measured once.
    #expect(Set(measured) == Set(plans) && measured.count == 2)
    #expect(app.state.measuring == nil)
    #expect(app.state.snapshots.all.map(\.measured?.text) == ["other.txt", "other.txt"])
    #expect(app.state.history.current == current)
    app.command("measure-all other.txt")
    #expect(app.state.notice?.text == "Every plan here is measured on other.txt")
  }

  @Test func aRunThatIsCancelledLeavesTheRestUnmeasured() throws {
    var app = session()
    app.command("measure-all other.txt")
    let first = try asked(app)
    app.send(.jobEnded(first.id, .cancelled))
    #expect(app.state.measuring == nil)
    #expect(try asked(app).id == first.id)
  }

  @Test func whatIsOnlyPredictedHasATilde() {
    var app = session()
    app.press("F2")
    app.command("filter up_proj")
    app.press("a", "3", "Esc", "Esc")
    app.send(.predicted(PredictedDivergence(mean: 0.2, low: 0.1, high: 0.3)))
    app.command("snapshot up-3")
    app.press("F4")
    #expect(app.row("up-3").contains("~0.200"))
  }

  @Test func twoPickedPlansAreCompared() {
    var app = session()
    app.press("j", "space", "j", "space")
    #expect(app.state.snapshots.pair.map { [$0.first, $0.second] } == [1, 2])
    let summary = app.row("all-4", "down-6", "paired")
    #expect(summary.contains("KLD -0.0400"))
    #expect(app.row("0.down_proj", "4 bit").contains("6 bit"))
    app.press("space", "space", "k", "k", "space")
    #expect(app.state.snapshots.picked == [2, 0])
    app.press("Esc")
    #expect(app.state.snapshots.picked.isEmpty && app.state.screen == .compare)
    app.press("Esc")
    #expect(app.state.screen == .layers)
  }

  @Test func differentTextsAreNotPaired() {
    var app = session()
    app.press("F2")
    app.command("filter up_proj")
    app.press("a", "3", "Esc", "Esc")
    app.command("evaluate other.txt")
    guard case .evaluate(let id, _)? = app.commands.last else { return }
    app.send(.evaluated(id, .synthetic(mean: 0.2)))
    app.press("F4", "j")
    #expect(!app.screen.contains("paired"))
    #expect(app.row("other.txt").contains("0.200"))
  }

  @Test func restoringIsOneUndoableChange() {
    var app = session()
    let before = app.state.history.current
    app.press("j", "Enter")
    #expect(app.scheme("0.mlp.down_proj")?.quantization?.bits == 4)
    #expect(app.commands.last == .setPlan(app.state.history.current))
    app.press("u")
    #expect(app.state.history.current == before)
    app.command("restore all-4")
    #expect(app.scheme("0.mlp.down_proj")?.quantization?.bits == 4)
    app.command("restore nothing")
    #expect(app.state.line?.flaw == "There is no snapshot nothing")
  }

  @Test func renamingAndDeleting() {
    var app = session()
    app.press("j", "r")
    app.type("down-6")
    app.press("Enter")
    #expect(app.state.line?.flaw == "There is a snapshot down-6")
    app.press("ctrl-u")
    app.type("four")
    app.press("Enter")
    #expect(app.state.snapshots.all.map(\.name) == ["four", "down-6"])
    app.press("D")
    #expect(app.state.snapshots.all.map(\.name) == ["down-6"])
    app.command("delete down-6")
    #expect(app.state.snapshots.all.isEmpty && app.state.snapshots.cursor == 0)
    app.press("D")
    #expect(app.screen.contains("There are no snapshots"))
  }

  @Test func aKeyTakesASnapshotWithANameOffered() {
    var app = session()
    app.press("c")
    let offered = app.state.line?.editor.text
    #expect(offered?.hasSuffix("MB") == true)
    app.press("Enter")
    #expect(app.state.snapshots.all.last?.name == offered)
    #expect(app.state.snapshots.all.freshName(from: "all-4") == "all-4-2")
  }

  @Test func theMouseChoosesPlansAndTabs() {
    var app = session()
    app.click(on: "down-6")
    #expect(app.state.snapshots.cursor == 2)
    app.click(on: "answers")
    #expect(app.state.snapshots.tab == .answers)
    app.press("Tab")
    #expect(app.state.snapshots.tab == .layers)
    for _ in 0..<9 { app.press("PgDn") }
    app.wheel(.wheelUp, over: "down_proj")
    #expect(app.state.snapshots.scroll >= 0)
  }

  @Test func anotherModelHasNoSnapshotsYet() {
    var app = session()
    app.send(.opened(.synthetic(name: "Other")))
    #expect(app.state.snapshots.all.isEmpty && app.state.predicted == nil)
  }

  // MARK: Screens

  @Test(arguments: [(80, 24), (120, 36), (200, 50)])
  func screens(columns: Int, rows: Int) throws {
    var app = session(columns, rows)
    app.press("j", "space", "j", "space")
    try expectGolden(app.screen, "compare-\(columns)x\(rows)")
  }

  @Test func answersInASCII() throws {
    var app = session(120, 36, glyphs: .ascii)
    app.press("j", "Tab")
    #expect(app.screen.unicodeScalars.allSatisfy { $0.isASCII })
    try expectGolden(app.screen, "compare-ascii")
  }
}

@Suite struct JobsScreenTests {
  @Test func queueProgressResultsAndFailures() throws {
    var app = App()
    app.command("calibrate texts/wiki.txt")
    app.command("sensitivity texts/wiki.txt")
    app.command("evaluate texts/unseen.txt")
    app.send(.jobStarted(JobID(1), .calibrate, title: "calibrate"))
    let summary = CalibrationSummary(
      textPath: "texts/wiki.txt", tokens: 16_384, windows: 32, window: 512, widestInput: 1536)
    app.send(.calibrated(JobID(1), summary))
    app.send(.jobEnded(JobID(1), .finished))
    app.send(.jobStarted(JobID(2), .sensitivity, title: "sensitivity"))
    app.send(.jobProgress(JobID(2), JobProgress(completed: 30, total: 210, secondsLeft: 75)))
    app.press("F6")
    #expect(app.row("calibrate", "done").contains("16384 tokens in 32 windows, 10.7 for each"))
    #expect(app.row("evaluate", "waiting") != "")
    #expect(app.row("sensitivity", "30/210", "1:15 left") != "")
    app.press("j", "ctrl-c")
    #expect(app.commands.last == .cancel(JobID(2)))
    app.send(.jobEnded(JobID(3), .failed("there is no such file")))
    try expectGolden(app.screen, "jobs")
  }

  @Test func tooFewTokensAreWarnedOf() {
    var app = App()
    app.command("calibrate short.txt")
    let summary = CalibrationSummary(
      textPath: "short.txt", tokens: 900, windows: 2, window: 450, widestInput: 1536,
      warning: "900 tokens are too few for GPTQ")
    app.send(.calibrated(JobID(1), summary))
    #expect(app.row("! 900 tokens are too few") != "")
    app.press("F3")
    #expect(app.row("calibrated on short.txt", "! 0.586") != "")
  }

  @Test func calibratedMethodsSayWhatTheyNeed() {
    var app = App()
    app.press("j", "j", "4")
    app.command("method gptq")
    #expect(app.state.notice?.kind == .warning)
    #expect(app.screen.contains("needs calibration: C calibrates"))
    app.press("C")
    #expect(app.state.line?.purpose == .argument(.calibrate))
  }

  @Test func blockTypesAreWordsOfTheMethod() {
    var app = App()
    app.press("j", "j")
    app.command("method q4_0 gptq")
    #expect(
      app.scheme("0.self_attn.q_proj")?.quantization
        == QuantizationScheme(block: .q4_0, range: .weighted, method: .gptq))
    #expect(app.row("    q_proj").contains("Q4_0"))
    app.command("method q4_k")
    #expect(app.state.line?.flaw?.contains("no whole number of Q4_K's blocks") == true)
    app.press("Esc", "5")
    #expect(app.scheme("0.self_attn.q_proj")?.quantization?.block == nil)
  }

  @Test func floatFormatsAreWordsOfTheMethod() {
    var app = App()
    app.press("j", "j")
    func quantization() -> QuantizationScheme? { app.scheme("0.self_attn.q_proj")?.quantization }
    app.command("method nvfp4 gptq")
    #expect(
      quantization() == QuantizationScheme(float: .nvfp4, range: .weighted, method: .gptq))
    #expect(app.row("    q_proj").contains("NVFP4"))
    app.command("method fp8")
    #expect(quantization() == QuantizationScheme(float: .fp8))
    app.command("method gptq")
    #expect(app.state.line?.flaw?.contains("only rounded to nearest") == true)
    app.press("Esc", "5")
    #expect(quantization()?.bits == 5 && quantization()?.hasFreeGroups == true)
  }

  @Test func aPlanOfSchemesGivesExactlyThose() throws {
    let app = App()
    let model = try #require(app.state.model)
    var schemes = model.layers.map { _ in
      Scheme(quantization: QuantizationScheme(block: .q5_0, range: .weighted, method: .gptq))
    }
    schemes[0] = .keep
    schemes[3] = Scheme(quantization: QuantizationScheme(bits: 3, isSymmetric: false))
    schemes[4].sparsity = SparsityScheme(pattern: .structured(kept: 2, of: 4), method: .wanda)
    var plan = app.state.history.current
    plan.rules = [PlanRule(layers: ["*"], change: SchemeChange(bits: 2, range: .mse))]
    let byName = try model.plan(plan, of: schemes).schemes(for: model.shapes)
    #expect(model.layers.map { byName[$0.name] } == schemes)
  }

  @Test func pruningMethodsAreWords() {
    #expect(SchemeWords.sparsity("50% wanda")?.method == .wanda)
    #expect(SchemeWords.sparsity("sparsegpt 2:4")?.pattern == .structured(kept: 2, of: 4))
    #expect(SchemeWords.sparsity("50% 2:4") == nil && SchemeWords.sparsity("none wanda") == nil)
    var app = App()
    app.press("j", "j")
    app.command("sparsity wanda")
    #expect(app.state.line?.flaw?.contains("not pruned") == true)
    app.press("Esc")
    app.command("sparsity 2:4")
    app.command("sparsity sparsegpt")
    #expect(app.scheme("0.self_attn.q_proj")?.sparsity?.method == .sparsegpt)
    #expect(app.scheme("0.self_attn.q_proj")?.sparsity?.pattern == .structured(kept: 2, of: 4))
  }
}

extension EvaluationSummary {
  /// A measured KLD around `mean`, more on later windows.
  static func synthetic(mean: Double) -> EvaluationSummary {
    let estimate = Estimate(mean, standardError: 0.002)
    return EvaluationSummary(
      tokens: 4096, windows: 4, referencePPL: Estimate(18.21, standardError: 0.41),
      compressedPPL: Estimate(19.02, standardError: 0.44),
      divergence: Divergence(mean: estimate, median: estimate, p99: estimate, max: estimate),
      top1Agreement: Estimate(0.91), windowDivergences: [0.8, 0.9, 1.1, 1.2].map { $0 * mean })
  }
}
