import Allocation
import Checkpoints
import Compression
import Engine
import Inference
import Terminal
import Testing

@testable import Workbench

@Suite struct BudgetTests {
  private func measured(_ columns: Int = 120, _ rows: Int = 36, glyphs: Glyphs = .unicode) -> App {
    var app = App(
      .synthetic(blocks: 4, name: "Tiny-135M"), columns: columns, rows: rows, glyphs: glyphs)
    app.command("filter proj")
    app.press("a", "4", "Esc", "Esc")
    app.send(.predicted(PredictedDivergence(mean: 0.12, low: 0.1, high: 0.15)))
    app.measure()
    app.press("F3")
    app.state.notice = nil
    app.clearEffects()
    return app
  }

  // MARK: Words

  @Test(arguments: [
    ("90MB", BudgetTarget.bytes(90_000_000)), ("1.5 GB", .bytes(1_500_000_000)),
    ("64MiB", .bytes(67_108_864)), ("4.5bpw", .bitsPerWeight(4.5)), ("4 bpw", .bitsPerWeight(4)),
    ("kld=0.05", .divergence(0.05)), ("KLD 0.1", .divergence(0.1)), ("800kb", .bytes(800_000)),
    ("90000000", .bytes(90_000_000)),
    ("4.5 bits a weight", .bitsPerWeight(4.5)),
  ])
  func readsBudgets(_ text: String, _ target: BudgetTarget) {
    #expect(BudgetTarget(text) == target)
  }

  @Test(arguments: ["", "9.5", "MB", "-3MB", "kld=0", "bpw", "infMB", "nan bpw", "1e300GB", "0.1b"])
  func refusesWhatIsNoBudget(_ text: String) {
    #expect(BudgetTarget(text) == nil)
    var app = measured()
    let before = app.state.budget.target
    app.command("budget \(text)")
    #expect(app.state.budget.target == before)
  }

  // MARK: Measuring

  @Test func theEndIsToldAfterADraft() throws {
    var app = App()
    let model = try #require(app.state.model)
    var draft = SyntheticSolver.sensitivity(of: model)
    draft.note = "a first answer"
    app.send(.sensitivityDrafted(JobID(1), draft))
    #expect(app.screen.contains("a first answer"))
    app.send(.sensitivity(JobID(1), SyntheticSolver.sensitivity(of: model)))
    #expect(app.screen.contains("Sensitivity of 22 layers"))
  }

  @Test func withoutSensitivityTheScreenSaysHowToGetIt() {
    var app = App()
    app.press("F3")
    #expect(app.screen.contains("X measures it on a text"))
    app.press("Right")
    #expect(app.commands.allSatisfy { if case .allocate = $0 { false } else { true } })
    app.press("X")
    app.type("text.txt")
    app.press("Enter")
    let request = SensitivityRequest(
      textPath: "text.txt", candidates: SchemeChoices.offered.candidates)
    #expect(app.commands.last == .measureSensitivity(JobID(1), request))
    app.send(.jobStarted(JobID(1), .sensitivity, title: "sensitivity"))
    app.send(.jobProgress(JobID(1), JobProgress(completed: 5, total: 20, secondsLeft: 90)))
    #expect(app.row("5/20", "1:30 left") != "")
    app.press("ctrl-c")
    #expect(app.commands.last == .cancel(JobID(1)))
  }

  @Test func savedSensitivityIsOpenedAndItsPathOffered() {
    var app = App()
    app.command("sensitivity open tiny.json")
    #expect(app.commands.last == .openSensitivity(path: "tiny.json"))
    app.command("sensitivity save out.json")
    app.command("sensitivity text.txt")
    guard case .measureSensitivity(_, let request)? = app.commands.last else {
      Issue.record("nothing is measured")
      return
    }
    #expect(request.savePath == "out.json")
    app.command("sensitivity open")
    #expect(app.state.line?.flaw?.contains("needs a path") == true)
  }

  @Test func knownSensitivityDrawsTheFrontierAndSolvesForThePlan() {
    var app = App(.synthetic(blocks: 2))
    app.press("0")
    guard let model = app.state.model else { return }
    app.clearEffects()
    app.send(.sensitivity(nil, SyntheticSolver.sensitivity(of: model)))
    #expect(app.commands.contains(.drawFrontier(AllocationSettings())))
    app.send(.frontier(SyntheticSolver.frontier(of: model)))
    #expect(app.targets.count == 1)
    #expect(app.state.budget.isPending)
    app.answerBudget()
    #expect(!app.state.budget.isPending)
  }

  // MARK: Moving the budget

  @Test func keysMoveTheBudgetByRoundSteps() throws {
    var app = measured()
    let range = try #require(app.state.budgetRange)
    app.press("Home")
    #expect(app.targets.last == .bytes(range.lowerBound))
    app.press("Right", "l")
    app.press("L")
    guard case .bytes(let bytes)? = app.targets.last else {
      Issue.record("no bytes")
      return
    }
    let step = Axis.roundStep(Double(range.upperBound - range.lowerBound) / 20)
    #expect(bytes % Int(step) == 0)
    app.press("S-Left", "h", "Left")
    app.press("End")
    #expect(app.targets.last == .bytes(range.upperBound))
    app.press("Right")
    #expect(app.targets.last == .bytes(range.upperBound))
    #expect(app.targets.count == 9)
  }

  @Test func theMouseDragsTheBudgetLine() throws {
    var app = measured()
    let plot = BudgetLayout(body: ScreenLayout(app.state, size: app.state.size).body).plot
    app.click(plot.column + 5, plot.row + 3)
    let first = try #require(app.targets.last)
    let point = Point(column: plot.column + 20, row: plot.row)
    app.handle(.input(.mouse(MouseEvent(point: point, action: .drag))))
    #expect(app.targets.count == 2 && app.targets.last != first)
    let line = app.frame.row(plot.row)
    #expect(Array(line)[plot.column + 20] == "│")
    app.handle(.input(.mouse(MouseEvent(point: point, action: .release))))
    app.handle(.input(.mouse(MouseEvent(point: Point(column: 9, row: 9), action: .drag))))
    #expect(app.targets.count == 2)
  }

  @Test func ofSeveralMovesOnlyTheLastIsSolved() {
    let settings = AllocationSettings()
    let effects: [Effect] = (1...3).map { .engine(.allocate(.bytes($0), settings)) }
    #expect(effects.withoutStale() == [effects[2]])
  }

  @Test func aTypedBudgetIsSolvedFor() {
    var app = measured()
    app.press("b")
    app.type("kld=0.05")
    app.press("Enter")
    #expect(app.targets.last == .divergence(0.05))
    app.send(.allocationRefused(.divergence(0.05), reason: "No plan is that good"))
    #expect(app.screen.contains("No plan is that good"))
    app.press("Home")
    #expect(!app.screen.contains("No plan is that good"))
  }

  // MARK: The proposal

  @Test func enterMakesTheProposalOneUndoableChange() throws {
    var app = measured()
    let before = app.state.history.current
    let steps = app.state.history.past.count
    app.press("Home")
    app.answerBudget()
    app.press("Enter")
    #expect(app.state.history.past.count == steps + 1)
    #expect(app.scheme("1.mlp.up_proj")?.quantization?.bits == 2)
    let plan = app.state.history.current
    #expect(app.commands.last == .setPlan(plan))
    app.press("u")
    #expect(app.state.history.current == before)
    #expect(app.screen.contains("Undone: budget"))
  }

  @Test func enterBeforeTheAnswerAppliesItOnceItIsThere() {
    var app = measured()
    let before = app.state.history.current
    app.press("Home", "Enter")
    #expect(app.screen.contains("its answer will be the plan"))
    #expect(app.state.history.current == before)
    app.answerBudget()
    #expect(app.scheme("1.mlp.up_proj")?.quantization?.bits == 2)
    #expect(app.commands.last == .setPlan(app.state.history.current))
    // Another budget is asked for afresh, and applied only when it is said again.
    app.press("End", "Enter", "Left")
    let plan = app.state.history.current
    app.answerBudget()
    #expect(app.state.history.current == plan)
  }

  @Test func changesAreListedAgainstThePlanOrTheLastSolve() throws {
    var app = measured()
    app.press("Home")
    app.answerBudget()
    // 28 projections had 4 bits, the embedding was kept; now all have 2.
    #expect(app.state.budgetChanges.count == 29)
    app.press("End")
    app.answerBudget()
    app.press("v")
    let change = try #require(app.state.budgetChanges.first)
    #expect(change.from.quantization?.bits == 2 && change.to.quantization?.bits == 8)
    #expect(app.screen.contains("29 since the last solve"))
  }

  @Test func pinnedLayersFusionAndExactnessReachTheSolver() throws {
    var app = measured()
    app.press("Home")
    app.answerBudget()
    app.press("Down", "P", "f", "d")
    let settings = try #require(app.lastSettings)
    #expect(settings.pinned == ["model.layers.0.self_attn.q_proj"])
    #expect(settings.fusesLayers && settings.isExact)
    app.press("Esc")
    #expect(app.state.screen == .layers)
    #expect(app.screen.contains("P    q_proj"))
    app.command("filter q_proj")
    app.press("P")
    app.press("P")
    #expect(app.lastSettings?.pinned.isEmpty == false)
  }

  @Test func schemesAreAllowedOneByOneOrByFamily() throws {
    var app = measured()
    app.press("Tab", "space")
    #expect(app.lastSettings?.candidates == Array(SyntheticSolver.schemes.dropFirst()))
    app.press("space")
    #expect(app.lastSettings?.candidates == nil)
    app.press("a")
    #expect(app.state.budget.choices.allowed.count == SyntheticSolver.schemes.count)
    app.click(on: "[x] 8 bit")
    app.click(on: "[x] 8 bit")
    #expect(app.lastSettings?.candidates?.contains(SyntheticSolver.schemes[5]) == false)
  }

  @Test func theLastAllowedSchemeStays() {
    var choices = SchemeChoices(measured: [.keep])
    choices.toggle(0)
    choices.toggle(7)
    choices.toggleFamily(of: 0)
    #expect(choices.candidates == [.keep])
  }

  @Test func changesAreToldInFewWords() {
    func text(_ from: QuantizationScheme?, _ to: QuantizationScheme?) -> String {
      LayerChange(layer: 0, from: Scheme(quantization: from), to: Scheme(quantization: to))
        .text(arrow: ">")
    }
    let coarse = QuantizationScheme(bits: 3)
    let fine = QuantizationScheme(bits: 4, range: .weighted, method: .gptq)
    #expect(text(coarse, fine) == "3 > 4 bit g64 sym gptq")
    #expect(text(nil, fine) == "keep > 4 bit g64 sym gptq")
    #expect(text(fine, nil) == "4 bit g64 sym gptq > keep")
    var other = fine
    other.range = .mse
    #expect(text(fine, other) == "4 bit g64 sym gptq weighted > 4 bit g64 sym gptq mse")
    let zero = QuantizationScheme(bits: 4, isSymmetric: false, range: .weighted, method: .gptq)
    #expect(text(zero, other) == "4 bit g64 asym > 4 bit g64 sym gptq")
    let block = QuantizationScheme(block: .q4_K, range: .weighted, method: .gptq)
    #expect(text(block, QuantizationScheme(block: .q5_K, method: .gptq)) == "Q4_K > Q5_K gptq")
    #expect(text(block, zero) == "Q4_K > 4 bit g64 asym gptq")
  }

  // MARK: Predicted and measured

  @Test func whatIsPredictedSaysSoUntilItIsMeasured() {
    var app = measured()
    #expect(app.row("KLD ~0.120", "predicted") != "")
    app.command("evaluate text.txt")
    guard case .evaluate(let id, _)? = app.commands.last else { return }
    app.send(.evaluated(id, .synthetic(mean: 0.11)))
    #expect(app.frame.row(1).contains("KLD 0.110"))
    #expect(!app.frame.row(1).contains("predicted"))
    #expect(app.screen.contains("●") && app.row("plan now").contains("0.110 measured"))
  }

  /// What is measured of the proposal's layers changes predictions, and says how they agreed; budget and choices stay.
  @Test func whatIsMeasuredTeachesThePredictions() throws {
    var app = measured()
    let proposal = try #require(app.state.budget.proposal)
    let target = app.state.budget.target
    app.press("R")
    app.type("other.txt")
    app.press("Enter")
    guard case .refineSensitivity(let id, let request)? = app.commands.last else {
      Issue.record("nothing was asked for")
      return
    }
    #expect(request.schemes == proposal.schemes && request.textPath == "other.txt")
    app.send(.jobStarted(id, .refine, title: "refine"))
    app.clearEffects()
    var summary = SyntheticSolver.sensitivity(of: app.model)
    summary.layers[7].divergencePerRelativeError = 99
    let pairs = [(0.1, 0.2), (0.2, 0.4), (0.3, 0.5)].map {
      PredictedAndMeasured(role: .down, layer: "\($0.0)", predicted: $0.0, measured: $0.1)
    }
    summary.agreement = PredictionAgreement(layers: pairs, plans: Array(pairs.prefix(1)))
    app.send(.sensitivityRefined(id, summary))
    #expect(app.state.budget.target == target && app.state.budget.proposal == proposal)
    #expect(app.targets == [try #require(target)])
    #expect(app.model.sensitivity[7]?.divergencePerRelativeError == 99)
    #expect(app.row("agreement  3 layers 0.50  1 plan 0.50") != "")
    #expect(
      app.state.notice?.text.hasPrefix("Predictions are 0.50 times what 3 layers measured") == true)
    app.send(.jobEnded(id, .finished))
    app.press("F6")
    #expect(
      app.row("refine", "other.txt", "predictions are 0.50 times what 3 layers measured")
        != "")
  }

  @Test func withoutSensitivityNothingIsRefined() {
    var app = App()
    app.command("refine text.txt")
    #expect(app.state.notice?.text.contains("X measures") == true)
    #expect(app.commands.allSatisfy { if case .refineSensitivity = $0 { false } else { true } })
  }

  @Test func theTableSortsBySensitivity() {
    var app = measured()
    app.press("F2")
    #expect(app.row("layer", "bits").contains("KLD"))
    app.command("sort sensitivity")
    #expect(app.state.table.rows.first.map { app.state.table.layers(of: $0, in: app.model) } == [7])
    app.command("sort kld")
    #expect(app.row("layer", "KLD").contains("▼KLD"))
    app.press("S")
    #expect(app.state.table.order == .sensitivity)
    app.press("S")
    #expect(app.state.table.order == .natural)
  }

  @Test func withoutSensitivityThereIsNoSuchColumnAndOrder() {
    var app = App()
    #expect(!app.row("layer", "bits").contains("KLD"))
    app.command("sort sensitivity")
    #expect(app.state.line?.flaw?.contains("X measures it") == true)
    app.press("Esc")
    for _ in 0..<5 { app.press("S") }
    #expect(app.state.table.order == .natural)
  }

  // MARK: Screens

  @Test(arguments: [(80, 24), (120, 36), (200, 50)])
  func screens(columns: Int, rows: Int) throws {
    try expectGolden(measured(columns, rows).screen, "budget-\(columns)x\(rows)")
  }

  @Test func ascii() throws {
    let screen = measured(120, 36, glyphs: .ascii).screen
    #expect(screen.unicodeScalars.allSatisfy { $0.isASCII })
    try expectGolden(screen, "budget-ascii")
  }

  @Test func schemesInANarrowScreen() throws {
    var app = measured(80, 24)
    app.command("set plot blocks")
    app.press("Tab")
    try expectGolden(app.screen, "budget-schemes")
  }
}

@Suite struct AxisTests {
  @Test func linearTicksAreRound() {
    let axis = Axis(linear: 38_000_000...143_000_000)
    #expect(
      axis.ticks(about: 6).map(Figures.roundBytes) == [
        "40 MB", "60 MB", "80 MB", "100 MB", "120 MB", "140 MB",
      ])
    #expect(axis.share(of: 38_000_000) == 0 && axis.share(of: 9e9) == 1)
    #expect(abs(axis.value(at: axis.share(of: 9e7)) - 9e7) < 1)
  }

  @Test func logarithmicTicksAreOnesTwosAndFives() {
    let axis = Axis(logarithmic: [0.004, 0.6, 0, -1, .nan])
    #expect(
      axis.ticks(about: 12).map(Figures.round) == [
        "0.005", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5",
      ])
    #expect(axis.ticks(about: 4).map(Figures.round) == ["0.01", "0.1"])
    let middle = axis.value(at: 0.5)
    #expect(abs(axis.share(of: middle) - 0.5) < 1e-9)
    #expect(axis.share(of: 0) == 0 && axis.share(of: .nan) == 0)
  }

  @Test func axesOfNothingStillWork() {
    #expect(Axis(linear: 5...5).share(of: 5) == 0)
    #expect(Axis(logarithmic: []).ticks(about: 5).isEmpty == false)
    #expect(Axis.roundStep(0) == 1 && Axis.roundStep(.nan) == 1)
    #expect(Axis.roundStep(0.3) == 0.5 && Axis.roundStep(2) == 2 && Axis.roundStep(700) == 1000)
  }
}

extension App {
  /// The open model; a test that has none fails elsewhere.
  fileprivate var model: OpenModel { state.model ?? OpenModel(.synthetic()) }
}
