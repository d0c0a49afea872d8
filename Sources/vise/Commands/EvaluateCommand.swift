import ArgumentParser
import Engine
import Inference

/// `vise evaluate`: perplexity on a text, and how far a plan moves the model.
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measures perplexity on a text, and under a plan the divergence from the original.",
    discussion: """
      Each window is read afresh; its second half is scored.

      --json: tokens (scored), ppl (of the compressed model where there is a plan); with --plan \
      also reference_ppl, kld of mean, median, p99, max (nats a token), top1_agreement (0 to 1).
      """)

  @OptionGroup var model: ModelArgument

  @Option(help: "A plan file.", completion: .file(extensions: ["yaml", "yml"]))
  var plan: String?

  @Option(help: "A UTF-8 text file.", completion: .file())
  var text: String

  @Option(help: "Tokens a window.")
  var window = 512

  @Option(help: "Most windows to read; without it, the whole text.")
  var windows: Int?

  @Flag(help: "Prints JSON.")
  var json = false

  func validate() throws {
    guard window >= 2 else { throw ValidationError("--window is at least 2.") }
    guard windows.map({ $0 > 0 }) ?? true else {
      throw ValidationError("--windows is at least 1.")
    }
  }

  func run() throws {
    let session = EngineSession()
    defer { session.close() }
    let opened = try session.open(model.path)
    if let plan { session.setPlan(try PlanFile.read(plan), from: plan, for: opened) }
    let job = JobID(1)
    session.send(
      .evaluate(
        job,
        EvaluationRequest(
          textPath: text, window: window, windowLimit: windows, compares: plan != nil)))
    let found = try session.next { event in
      if case .evaluated(job, let result) = event { result } else { nil }
    }
    if json {
      try JSONOutput.write(EvaluateResult(found))
    } else {
      OutputStream.standard.write(Self.text(of: found))
    }
  }

  private static func text(of result: EvaluationSummary) -> String {
    var lines = ["\(result.tokens) tokens scored"]
    lines.append("reference    PPL \(result.referencePPL.value.fixed(4))")
    if let ppl = result.compressedPPL { lines.append("compressed   PPL \(ppl.value.fixed(4))") }
    if let kld = result.divergence {
      lines.append(
        "KLD          mean \(kld.mean.value.fixed(5))  median \(kld.median.value.fixed(5))  "
          + "p99 \(kld.p99.value.fixed(4))  max \(kld.max.value.fixed(3))")
    }
    if let same = result.top1Agreement {
      lines.append("same top-1   \((same.value * 100).fixed(2)) %")
    }
    return lines.map { $0 + "\n" }.joined()
  }
}

/// What `vise evaluate --json` prints.
private struct EvaluateResult: Encodable {
  struct Divergence: Encodable {
    let mean: Figure
    let median: Figure
    let p99: Figure
    let max: Figure
  }

  let tokens: Int
  let ppl: Figure
  let referencePpl: Figure?
  let kld: Divergence?
  let top1Agreement: Figure?

  init(_ result: EvaluationSummary) {
    tokens = result.tokens
    ppl = Figure((result.compressedPPL ?? result.referencePPL).value)
    referencePpl = result.compressedPPL == nil ? nil : Figure(result.referencePPL.value)
    kld = result.divergence.map { kld in
      Divergence(
        mean: Figure(kld.mean.value), median: Figure(kld.median.value),
        p99: Figure(kld.p99.value), max: Figure(kld.max.value))
    }
    top1Agreement = result.top1Agreement.map { Figure($0.value) }
  }
}
