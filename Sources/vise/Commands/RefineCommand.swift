import Allocation
import ArgumentParser
import Checkpoints
import Compression
import Engine
import Inference

/// `vise refine`: measures layers and plans, so that predictions learn from them.
struct RefineCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "refine",
    abstract: "Measures layers and whole plans, says how predictions agree, and corrects them.",
    discussion: """
      For each plan, its most costly layers are compressed one at a time and the KLD of each such \
      model is measured; then that of the whole plan. The sensitivity file keeps what was measured: \
      later allocations use it.

      --json: text, output, layers, plans and roles[] (role beside them) of count, \
      rank_correlation, ratio (median of predicted over measured), spread (standard deviation of \
      its logarithm); measured[] of plan, predicted of mean, low, high, kld, kld_error.
      """)

  @OptionGroup var model: ModelArgument

  @Option(help: "A file that `vise sensitivity` wrote.", completion: .file())
  var sensitivity: String

  @Option(
    help: "A plan to measure; may be repeated.", completion: .file(extensions: ["yaml", "yml"]))
  var plan: [String] = []

  @Option(help: "A budget as of `vise allocate`, whose plan is measured; may be repeated.")
  var budget: [BudgetTarget] = []

  @Option(
    help: "A text to measure on, which calibration has not seen.", completion: .file())
  var text: String

  @Option(help: "A text to calibrate the plans' methods on.", completion: .file())
  var calibration: String?

  @Option(help: "Most layers to measure alone, of each plan.")
  var layers = 24

  @Option(help: "Tokens a window; 512, or the model's context if that is shorter.")
  var window: Int?

  @Option(help: "Windows to read for each layer.")
  var layerWindows = 2

  @Option(help: "Most windows to read for each whole plan; 0 measures layers only.")
  var windows = 8

  @Option(help: "The file to write; the one that was read if there is none.", completion: .file())
  var output: String?

  @Flag(help: "Prints JSON.")
  var json = false

  func validate() throws {
    guard !plan.isEmpty || !budget.isEmpty else {
      throw ValidationError("name a --plan or a --budget to measure.")
    }
    guard window.map({ $0 >= 3 }) ?? true, layerWindows > 0, windows >= 0, layers >= 0 else {
      throw ValidationError("--window is at least 3, --layer-windows at least 1.")
    }
  }

  func run() throws {
    let session = EngineSession()
    defer { session.close() }
    let description = try session.open(model.path)
    if let calibration {
      _ = try session.calibrate(
        CalibrationRequest(textPath: calibration, collectsWhenNeeded: true))
    }
    session.send(.openSensitivity(path: sensitivity))
    var agreement: PredictionAgreement?
    var measured: [RefineResult.Plan] = []
    for (name, plan) in try plans(in: session, for: description) {
      let schemes = try plan.schemes(for: description.layerShapes)
      if layers > 0 {
        agreement =
          try session.refine(
            RefinementRequest(
              schemes: schemes, textPath: text, window: window, windowLimit: layerWindows,
              layerLimit: layers, savePath: output ?? sensitivity)) ?? agreement
      }
      guard windows > 0 else { continue }
      let (result, found) = try session.measure(
        plan, called: name, for: description,
        EvaluationRequest(textPath: text, window: window, windowLimit: windows))
      measured.append(result)
      agreement = found ?? agreement
    }
    session.send(.saveSensitivity(path: output ?? sensitivity))
    try session.next { event in
      if case .sensitivitySaved = event { () } else { nil }
    }
    let result = RefineResult(
      agreement, measured, text: text, output: output ?? sensitivity)
    if json { try JSONOutput.write(result) } else { OutputStream.standard.write(result.table) }
  }

  /// The plans that are named, and those that budgets lead to.
  private func plans(
    in session: EngineSession, for description: ModelDescription
  ) throws -> [(name: String, plan: Plan)] {
    var plans = try plan.map { (name: $0, plan: try PlanFile.read($0)) }
    for budget in budget {
      session.send(.allocate(budget, AllocationSettings()))
      let found = try session.next { event in
        if case .allocated(let result) = event { result } else { nil }
      }
      plans.append((name: budget.text, plan: found.plan(for: description)))
    }
    return plans
  }
}

extension BudgetTarget {
  /// As `--budget` says it.
  fileprivate var text: String {
    switch self {
    case .bytes(let bytes): "\(bytes.megabytes)MB"
    case .bitsPerWeight(let bits): "\(bits.fixed(2))bpw"
    case .divergence(let divergence): "kld=\(divergence.significant(3))"
    }
  }
}

extension EngineSession {
  private static let refinement = CommandJob.refinement.id

  /// Measures layers of a plan; nil if none taught anything.
  fileprivate func refine(
    _ request: RefinementRequest
  ) throws(CommandFailure) -> PredictionAgreement? {
    send(.refineSensitivity(Self.refinement, request))
    var agreement: PredictionAgreement?
    return try next { event in
      if case .sensitivityRefined(Self.refinement, let summary) = event {
        agreement = summary.agreement
      }
      return if case .jobEnded(Self.refinement, .finished) = event { .some(agreement) } else { nil }
    }
  }

  /// Measures a whole plan, and says what was predicted of it before.
  fileprivate func measure(
    _ plan: Plan, called name: String, for description: ModelDescription,
    _ request: EvaluationRequest
  ) throws(CommandFailure) -> (RefineResult.Plan, PredictionAgreement?) {
    setPlan(plan, for: description)
    var (agreement, predicted): (PredictionAgreement?, PredictedDivergence?)
    var isMeasured = false
    let found = try evaluate(request) { event in
      switch event {
      case .evaluated: isMeasured = true
      // The last one before predictions learn from the measurement.
      case .predicted(let value) where !isMeasured: predicted = value
      case .sensitivityRefined(_, let summary): agreement = summary.agreement
      default: break
      }
    }
    return (RefineResult.Plan(name, predicted, found), agreement)
  }
}

/// What `vise refine --json` prints.
private struct RefineResult: Encodable {
  struct Figures: Encodable {
    let role: String?
    let count: Int
    let rankCorrelation: Figure
    let ratio: Figure
    let spread: Figure

    init(_ agreement: Agreement, role: String? = nil) {
      self.role = role
      count = agreement.count
      rankCorrelation = Figure(agreement.rankCorrelation)
      ratio = Figure(agreement.ratio)
      spread = Figure(agreement.spread)
    }
  }

  struct Plan: Encodable {
    let plan: String
    let predicted: AllocateResult.Divergence?
    let kld: Figure
    let kldError: Figure

    init(_ name: String, _ predicted: PredictedDivergence?, _ found: EvaluationSummary) {
      plan = name
      self.predicted = predicted.map { AllocateResult.Divergence($0) }
      kld = Figure(found.divergence?.mean.value)
      kldError = Figure(found.divergence?.mean.standardError)
    }
  }

  let text: String
  let output: String
  let layers: Figures?
  let plans: Figures?
  let roles: [Figures]
  let measured: [Plan]

  init(
    _ agreement: PredictionAgreement?, _ measured: [Plan], text: String, output: String
  ) {
    self.text = text
    self.output = output
    layers = agreement?.layers.map { Figures($0) }
    plans = agreement?.plans.map { Figures($0) }
    roles = agreement?.roles.map { Figures($0.agreement, role: $0.role) } ?? []
    self.measured = measured
  }

  /// The same for people.
  var table: String {
    var figures = TextTable(["predicted / measured", "count", "ratio", "spread", "rank"])
    func add(_ name: String, _ found: Figures?) {
      guard let found else { return }
      figures.add([
        name, String(found.count), text(found.ratio, 2), text(found.spread, 2),
        text(found.rankCorrelation, 2),
      ])
    }
    add("layers alone", layers)
    for role in roles { add("  \(role.role ?? "")", role) }
    add("whole plans", plans)
    var list = TextTable(["plan", "predicted", "band", "measured", "±"])
    for plan in measured {
      let band = plan.predicted.map { "\(text($0.low)) to \(text($0.high))" }
      list.add([
        plan.plan, plan.predicted.map { text($0.mean) } ?? "–", band ?? "–", text(plan.kld),
        text(plan.kldError),
      ])
    }
    let plans = measured.isEmpty ? "" : "\n\(list.text)"
    return "\(figures.text)\(plans)\nwritten to \(output)\n"
  }

  private func text(_ figure: Figure, _ places: Int? = nil) -> String {
    guard let value = figure.value else { return "–" }
    return places.map { value.fixed($0) } ?? value.significant(3)
  }
}
