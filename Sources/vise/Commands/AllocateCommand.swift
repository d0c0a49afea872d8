import Allocation
import ArgumentParser
import Checkpoints
import Compression
import Engine
import Export
import Fitting
import Inference
import Tensors

/// Memory with what is to be served in it.
struct FitArgument: ExpressibleByArgument {
  let budget: FitBudget

  init?(argument: String) {
    guard let budget = FitBudget(argument) else { return nil }
    self.budget = budget
  }
}

extension BudgetTarget: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

/// `vise allocate`: the plan that makes the best of a budget.
struct AllocateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "allocate",
    abstract: "Finds the plan of least predicted divergence in a budget of bytes, or the smallest.",
    discussion: """
      MB are 10^6 bytes: of the files that --target loads, all of them, or without a target of all \
      tensors; bpw are the same as bits a weight. Without --sensitivity it is measured first, \
      which takes minutes.

      --json: bytes (of the target's files, else of tensors; with --bitmasks also bytes_with_bitmasks), active_bytes (of a \
      mixture: what one token is multiplied with), bits_per_weight, kld of mean, low, high (predicted, nats a token), gap (how \
      far at most above the best plan there is, as a share), output, layers[] of name, scheme, \
      changed (whether --plan, or the original, has another).
      """)

  @OptionGroup var model: ModelArgument

  @Option(
    help:
      "90MB, 1.5GiB, 3000000 (bytes), 4.5bpw, or kld=0.05 for the smallest plan of that divergence."
  )
  var budget: BudgetTarget?

  @Option(
    help: "Memory for all that serving takes, instead of --budget: \"24 GB with 32k of context\".")
  var fit: FitArgument?

  @Option(
    help: "A machine of `vise fit` to fit, instead of --budget, with --context, --batch and --kv.")
  var machine: String?

  @OptionGroup(title: "With --machine") var serving: FitOptions

  @Option(help: "A file that `vise sensitivity` wrote.", completion: .file())
  var sensitivity: String?

  @OptionGroup(title: "Without --sensitivity") var text: CalibrationOptions

  @Option(help: "What layers may get, as --candidates of `vise sensitivity`; all that was tried.")
  var types: String?

  @Option(help: "A plan whose schemes pinned layers keep; else they stay as they are.")
  var plan: String?

  @Option(help: "Layers that are left alone: a glob, or `re:` and an expression; may be repeated.")
  var pin: [String] = []

  @Flag(help: "Gives q, k, v and gate, up of a block the same scheme, as vLLM needs.")
  var fuse = false

  @Option(
    help:
      "Gives layers only what transformers, vllm, vllm-cpu or llama.cpp can hold, and counts its files' bytes."
  )
  var target: ExportTarget?

  @Flag(
    help: """
      Counts pruned layers as survivors and a bitmask, so that each layer gets a sparsity of its \
      own; no server stores them so.
      """)
  var bitmasks = false

  @Flag(help: "Solves exactly, for up to a second.")
  var exact = false

  @Option(help: "The plan file to write.", completion: .file(extensions: ["yaml", "yml"]))
  var output: String?

  @Flag(help: "Prints JSON.")
  var json = false

  func validate() throws {
    let ways = [budget != nil, fit != nil, machine != nil]
    guard ways.count(where: { $0 }) == 1 else {
      throw ValidationError("Say one of --budget, --fit and --machine.")
    }
    guard machine != nil || !serving.isGiven else {
      throw ValidationError(
        "--context, --batch and --kv-cache go with --machine; --fit says them itself: \"24 GB with 32k of context\"."
      )
    }
  }

  func run() throws {
    let session = EngineSession()
    defer { session.close() }
    let description = try session.open(model.path)
    let budget = try chosenBudget(for: description, in: session)
    let shapes = description.layerShapes
    var candidates: [Scheme]?
    if let types {
      candidates = try CandidateOptions.schemes(named: types)
    }
    if let sensitivity {
      session.send(.openSensitivity(path: sensitivity))
    } else {
      _ = try session.measureSensitivity(
        SensitivityRequest(
          textPath: try text.path(for: model.path), window: text.window,
          tokenLimit: text.tokens,
          candidates: try candidates ?? CandidateOptions.schemes(named: "gguf")))
    }
    let current = try plan.map(PlanFile.read)
    if let current { session.setPlan(current, from: plan, for: description) }
    session.send(
      .allocate(
        budget,
        AllocationSettings(
          candidates: candidates, pinned: try pinned(among: shapes), fusesLayers: fuse,
          target: target, isExact: exact, countsBitmasks: bitmasks)))
    let found = try session.next { event in
      if case .allocated(let result) = event { result } else { nil }
    }
    if let output { try PlanFile.write(found.plan(for: description), to: output) }
    let before = try current?.schemes(for: shapes) ?? [:]
    let result = AllocateResult(found, of: description, before: before, output: output)
    if json {
      try JSONOutput.write(result)
    } else {
      OutputStream.standard.write(result.text)
    }
  }

  /// The budget as it was said, or what memory leaves for weights.
  private func chosenBudget(
    for model: ModelDescription, in session: EngineSession
  ) throws -> BudgetTarget {
    if let budget { return budget }
    let served = ServedModel(
      model, schemes: model.layers.map { _ in .keep }, forecast: nil)
    let engine = ServingEngine(target)
    var memory = fit?.budget
    if let machine {
      let machine = try FitOptions.machine(named: machine)
      memory = FitBudget(
        memory: machine.memory - machine.reserved, request: serving.request(for: model))
    }
    guard let memory, let bytes = Fit.weightBudget(memory, for: served, in: engine) else {
      throw CommandFailure(
        status: .failed,
        message: "what this model keeps of a sequence is not known; give --budget instead")
    }
    guard bytes > 0 else {
      throw CommandFailure(
        status: .failed,
        message:
          "keys and values of \(TokenCount.text(memory.request.context)) tokens alone do not fit")
    }
    session.note("weights may take \(bytes.megabytes) MB")
    return .bytes(bytes)
  }

  private func pinned(among shapes: [LayerShape]) throws -> [String] {
    let patterns = try pin.map(LayerPattern.init)
    return shapes.filter { shape in patterns.contains { $0.matches(shape) } }.map(\.name)
  }
}

/// What `vise allocate --json` prints.
struct AllocateResult: Encodable {
  struct Layer: Encodable {
    let name: String
    let scheme: String
    let changed: Bool
  }

  struct Divergence: Encodable {
    let mean: Figure
    let low: Figure
    let high: Figure

    init(_ predicted: PredictedDivergence) {
      mean = Figure(predicted.mean)
      low = Figure(predicted.low)
      high = Figure(predicted.high)
    }
  }

  let bytes: Int
  let bytesWithBitmasks: Int?
  let activeBytes: Int?
  let bitsPerWeight: Figure
  let kld: Divergence
  let gap: Figure
  let output: String?
  let layers: [Layer]

  init(
    _ result: AllocationResult, of model: ModelDescription, before: [String: Scheme],
    output: String?
  ) {
    bytes = result.bytes
    bytesWithBitmasks = result.bytesWithBitmasks
    let schemes = model.layers.map { result.schemes[$0.name] ?? .keep }
    let served = ServedModel(model, schemes: schemes, forecast: nil)
    activeBytes = served.hasExperts ? served.activeBytes : nil
    bitsPerWeight = Figure(result.bitsPerWeight)
    kld = Divergence(result.divergence)
    gap = Figure(result.gap)
    self.output = output
    layers = model.layerShapes.map { shape in
      let scheme = result.schemes[shape.name] ?? .keep
      return Layer(
        name: shape.name, scheme: scheme.summary,
        changed: scheme != before[shape.name] ?? .keep)
    }
  }

  /// The same for people.
  var text: String {
    var counts = TextTable(["scheme", "layers"])
    let groups = Dictionary(grouping: layers, by: \.scheme).mapValues(\.count)
    for (scheme, count) in groups.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
      counts.add([scheme, String(count)])
    }
    let share = (100 * (gap.value ?? .nan)).significant(2)
    let bitmasks = bytesWithBitmasks.map { "; \($0.megabytes) MB with bitmasks" } ?? ""
    let active = activeBytes.map { "; \($0.megabytes) MB active a token" } ?? ""
    let saved = output.map { "written to \($0)\n" } ?? ""
    return """
      \(counts.text)
      \(bytes.megabytes) MB, \((bitsPerWeight.value ?? .nan).fixed(2)) bpw, \
      \(layers.count(where: \.changed)) layers changed\(bitmasks)\(active)
      predicted KLD \((kld.mean.value ?? .nan).significant(3)), between \
      \((kld.low.value ?? .nan).significant(3)) and \((kld.high.value ?? .nan).significant(3)); \
      at most \(share) % above the best possible
      \(saved)
      """
  }
}

extension AllocationResult {
  /// The plan that gives each layer the scheme that was found for it.
  func plan(for model: ModelDescription) -> Plan { Plan(schemes: schemes, of: model) }
}
