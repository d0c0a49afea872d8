import ArgumentParser
import Compression
import Engine
import Inference

/// `vise evaluate`: perplexity on a text, and how far a plan moves the model.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measures perplexity on a text, and under a plan the divergence from the original.",
    discussion: """
      Each window is read afresh; its second half is scored.

      --json: tokens (scored), windows, ppl (of the compressed model where there is a plan); with \
      --plan or --reference also reference_ppl, kld of mean, median, p99, max (nats a token), \
      rms_probability_change and top1_agreement (0 to 1); with --input-sparsity also the \
      input_sparsity that was reached, and all of these without a plan, too. Each figure has a standard error over \
      windows beside it, under its name with _error after it.
      """)

  @OptionGroup var model: ModelArgument

  @OptionGroup var options: PlanUnderTest

  @Option(
    help: "Another checkpoint of the same model to compare with, such as its F16 original.",
    completion: .file())
  var reference: String?

  @Option(help: "A UTF-8 text, or JSON lines with a text or messages field.", completion: .file())
  var text: String

  @OptionGroup var reading: WindowOptions

  @OptionGroup var sparsity: SparsityOption

  @Flag(help: "Prints JSON.")
  var json = false

  /// Scored tokens of which figures say too little.
  private static let fewTokens = 64

  func run() throws {
    let session = EngineSession()
    defer { session.close() }
    _ = try session.open(model.path, under: options)
    let found = try session.evaluate(
      EvaluationRequest(
        textPath: text, window: reading.window, windowLimit: reading.windows,
        compares: options.plan != nil,
        referencePath: reference, inputSparsity: sparsity.inputSparsity))
    if found.tokens < Self.fewTokens {
      session.warn(
        "\(found.tokens) scored token\(found.tokens == 1 ? " is" : "s are") few: figures of so short a text say little of the model; give one of some "
          + "thousand tokens")
    }
    if json {
      try JSONOutput.write(EvaluateResult(found))
    } else {
      OutputStream.standard.write(Self.text(of: found))
    }
  }

  static func text(of result: EvaluationSummary) -> String {
    var table = TextTable(["", "value", "±"])
    func add(_ name: String, _ estimate: Estimate?, places: Int, scale: Double = 1) {
      guard let estimate else { return }
      let error = estimate.standardError.map { ($0 * scale).fixed(places) } ?? "–"
      table.add([name, (estimate.value * scale).fixed(places), error])
    }
    add("reference PPL", result.referencePPL, places: 4)
    add("compressed PPL", result.compressedPPL, places: 4)
    add("KLD mean", result.divergence?.mean, places: 5)
    add("KLD median", result.divergence?.median, places: 5)
    add("KLD p99", result.divergence?.p99, places: 4)
    add("KLD max", result.divergence?.max, places: 3)
    add("RMS Δp, %", result.rmsProbabilityChange, places: 3, scale: 100)
    add("same top-1, %", result.top1Agreement, places: 2, scale: 100)
    if let share = result.inputSparsity {
      table.add(["inputs left out, %", (share * 100).fixed(2), ""])
    }
    return "\(result.tokens) tokens scored in \(result.windows) windows\n" + table.text
  }
}

/// What `vise evaluate --json` prints.
struct EvaluateResult: Encodable {
  struct Divergence: Encodable {
    let mean: Figure
    let meanError: Figure
    let median: Figure
    let medianError: Figure
    let p99: Figure
    let p99Error: Figure
    let max: Figure
    let maxError: Figure

    init(_ found: EvaluationSummary.Divergence) {
      mean = Figure(found.mean.value)
      meanError = Figure(found.mean.standardError)
      median = Figure(found.median.value)
      medianError = Figure(found.median.standardError)
      p99 = Figure(found.p99.value)
      p99Error = Figure(found.p99.standardError)
      max = Figure(found.max.value)
      maxError = Figure(found.max.standardError)
    }
  }

  let tokens: Int
  let windows: Int
  let ppl: Figure
  let pplError: Figure
  let referencePpl: Figure?
  let referencePplError: Figure?
  let kld: Divergence?
  let rmsProbabilityChange: Figure?
  let rmsProbabilityChangeError: Figure?
  let top1Agreement: Figure?
  let top1AgreementError: Figure?
  let inputSparsity: Figure?

  init(_ result: EvaluationSummary) {
    tokens = result.tokens
    windows = result.windows
    let found = result.compressedPPL ?? result.referencePPL
    (ppl, pplError) = (Figure(found.value), Figure(found.standardError))
    let reference = result.compressedPPL == nil ? nil : result.referencePPL
    referencePpl = reference.map { Figure($0.value) }
    referencePplError = reference.map { Figure($0.standardError) }
    kld = result.divergence.map(Divergence.init)
    rmsProbabilityChange = result.rmsProbabilityChange.map { Figure($0.value) }
    rmsProbabilityChangeError = result.rmsProbabilityChange.map { Figure($0.standardError) }
    top1Agreement = result.top1Agreement.map { Figure($0.value) }
    top1AgreementError = result.top1Agreement.map { Figure($0.standardError) }
    inputSparsity = result.inputSparsity.map { Figure($0) }
  }
}
