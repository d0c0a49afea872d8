import Allocation
import Checkpoints
import Compression
import Engine
import Inference
import Terminal
import Testing
import TestSupport

@testable import Workbench
import Tensors

@Suite struct RandomEventTests {
  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func nothingTrapsAndInvariantsHold(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var app = App(.synthetic(blocks: 5))
    app.state.keepsSessions = false
    for step in 0..<700 {
      let event = event(&random, app)
      app.handle(event)
      if app.effects.contains(.quit) { app.clearEffects() }
      if let flaw = flaw(in: app.state) {
        Issue.record("seed \(seed), step \(step), after \(event): \(flaw)")
        return
      }
      if step % 10 == 0 { #expect(app.frame.size == app.state.size) }
    }
    expectUndoToBeInverse(&app)
  }

  private func flaw(in state: AppState) -> String? {
    guard let model = state.model else { return nil }
    let table = state.table
    if !table.rows.isEmpty, !table.rows.indices.contains(table.cursor) { return "cursor outside" }
    if table.top < 0 || table.top > max(0, table.rows.count - 1) { return "scrolled outside" }
    if !table.marks.isSubset(of: model.layers.indices) { return "marks of no layer" }
    let height = ScreenLayout(state, size: state.size).tableRows.rows
    if height > 0, table.cursor < table.top || table.cursor >= table.top + height {
      return "cursor not on the screen"
    }
    guard let schemes = try? state.history.current.schemes(for: model.shapes) else {
      return "a plan that does not fit"
    }
    for (index, shape) in model.shapes.enumerated()
    where schemes[shape.name] != model.schemes[index] {
      return "the scheme of \(shape.name) is not the plan's"
    }
    return nil
  }

  private func expectUndoToBeInverse(_ app: inout App) {
    app.press("Esc", "Esc", "Esc", "Esc", "Esc")
    let before = app.state.history.current
    let steps = app.state.history.past.count
    for _ in 0..<steps { _ = app.state.history.undo() }
    #expect(app.state.history.past.isEmpty)
    for _ in 0..<steps { _ = app.state.history.redo() }
    #expect(app.state.history.current == before)
  }

  // MARK: Events

  private func event(_ random: inout SeededRandom, _ app: App) -> AppEvent {
    switch Int.random(in: 0..<100, using: &random) {
    case ..<62: .input(.key(press(&random)))
    case ..<74: .input(.mouse(mouse(&random, app.state.size)))
    case ..<79: .input(.paste(text(&random)))
    case ..<84:
      .input(
        .resize(
          Size(
            columns: Int.random(in: 0...220, using: &random),
            rows: Int.random(in: 0...60, using: &random))))
    default: engine(&random, app)
    }
  }

  private func press(_ random: inout SeededRandom) -> KeyPress {
    let letters = Array("0123456789abcdefghijklmnopqrstuvwxyzCDGHSNELMPTXZ[]/:*?+- .%é語👍")
    let keys: [Key] = [
      .enter, .escape, .tab, .backTab, .backspace, .delete, .up, .down, .left, .right, .home, .end,
      .pageUp, .pageDown, .function(1), .function(2), .function(3), .function(4), .function(6),
    ]
    if Int.random(in: 0..<3, using: &random) > 0 {
      let letter = letters.randomElement(using: &random) ?? "x"
      let isControl = Int.random(in: 0..<12, using: &random) == 0
      return KeyPress(.character(letter), isControl && letter.isASCII ? .control : [])
    }
    return KeyPress(keys.randomElement(using: &random) ?? .escape)
  }

  private func mouse(_ random: inout SeededRandom, _ size: Size) -> MouseEvent {
    let actions: [MouseAction] = [.press, .press, .release, .drag, .wheelUp, .wheelDown]
    return MouseEvent(
      point: Point(
        column: Int.random(in: -1...size.columns, using: &random),
        row: Int.random(in: -1...size.rows, using: &random)),
      action: actions.randomElement(using: &random) ?? .press)
  }

  private func text(_ random: inout SeededRandom) -> String {
    let texts = [
      "q\n:quit\n", "re:(", "\u{1B}[31m", "down *", "e\u{301}\u{200D}👩‍👩‍👧", "set temperature 0.5",
      "serve http://h:1",
      String(repeating: "long ", count: 50), "2:4", "",
    ]
    return texts.randomElement(using: &random) ?? ""
  }

  /// What an engine may have done, of this model or another.
  private func record(
    _ random: inout SeededRandom, _ model: OpenModel, _ job: JobID
  ) -> EngineRecord {
    let isSame = Bool.random(using: &random)
    let whole = isSame ? model.whole : .synthetic(blocks: 4)
    let bits = SchemeChange(bits: Int.random(in: 2...8, using: &random))
    let plan = Plan(rules: [PlanRule(layers: ["*_proj"], change: bits)])
    let summary = EvaluationSummary(tokens: 1, windows: 1, referencePPL: Estimate(.infinity))
    let outcomes: [JobOutcome?] = [nil, .finished, .cancelled, .failed("no")]
    let jobs: [JobRecord] = [
      JobRecord(
        id: job, kind: .evaluate, title: "evaluate",
        command: .evaluate(job, EvaluationRequest(textPath: text(&random))), plan: plan,
        events: [.evaluating(job, summary)], outcome: outcomes.randomElement(using: &random) ?? nil,
        wasSeen: Bool.random(using: &random)),
      JobRecord(
        id: JobID(9), kind: .generate, title: "answer",
        command: .generate(JobID(9), GenerationRequest(prompt: text(&random)))),
    ]
    return EngineRecord(
      path: whole.path, model: whole, plan: Bool.random(using: &random) ? plan : nil, jobs: jobs,
      isLeft: isSame && Bool.random(using: &random))
  }

  private func engine(_ random: inout SeededRandom, _ app: App) -> AppEvent {
    guard let model = app.state.model,
      let index = model.layers.indices.randomElement(using: &random)
    else { return .input(.wake) }
    let job = JobID(Int.random(in: 0...6, using: &random))
    switch Int.random(in: 0..<17, using: &random) {
    case 14: return .link(.lost(reason: text(&random)))
    case 15: return .link(.attached(record(&random, model, job)))
    case 16:
      return app.state.engine.isReopening ? .engine(.opened(model.whole)) : .input(.wake)
    case 9: return .engine(.sensitivity(nil, SyntheticSolver.sensitivity(of: model)))
    case 10: return .engine(.frontier(SyntheticSolver.frontier(of: model)))
    case 11:
      let target = app.state.budget.target ?? .bytes(Int.random(in: 0...99_999_999, using: &random))
      return .engine(.allocated(SyntheticSolver.answer(target, for: model)))
    case 13:
      let reason = text(&random)
      return .engine(.answerFailed(app.state.conversation.job ?? job, .served, reason: reason))
    case 12:
      let mean = Double.random(in: 0...1, using: &random)
      return .engine(.predicted(PredictedDivergence(mean: mean, low: 0, high: .infinity)))
    case 0: return .engine(.jobStarted(job, .compress, title: text(&random)))
    case 1:
      let progress = JobProgress(completed: 3, total: Int.random(in: 0...9, using: &random))
      return .engine(.jobProgress(job, progress))
    case 2: return .engine(.jobEnded(job, .failed(text(&random))))
    case 3: return .engine(.planRefused(reason: "no"))
    case 4:
      let summary = EvaluationSummary(tokens: 1, windows: 1, referencePPL: Estimate(.infinity))
      return .engine(.evaluated(job, summary))
    case 5...6:
      let side = AnswerSide.allCases.randomElement(using: &random) ?? .reference
      let count = app.state.conversation.answer(side).tokens.count
      let token = GeneratedToken(
        side: side, index: count, id: Int.random(in: 0...3, using: &random), text: text(&random),
        tokensPerSecond: .nan)
      return .engine(.token(app.state.conversation.job ?? job, token))
    default:
      let isExact = Bool.random(using: &random)
      return .engine(
        .report(
          .synthetic(
            model.layers[index].name, in: model, standing: isExact ? .exact : .sampled(rows: 8),
            sqnr: Bool.random(using: &random) ? 20 : nil)))
    }
  }
}
