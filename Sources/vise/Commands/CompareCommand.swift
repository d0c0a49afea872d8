import ArgumentParser
import Checkpoints
import Compression
import Engine
import Inference

/// `vise compare`: two checkpoints of one model, in bytes and in what they predict.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Measures how far a checkpoint is from another one of the same model.",
    discussion: """
      Both read the same tokens; each window is read afresh, and its second half is scored.

      --json: a and b, each of path, bytes (of all tensors), bits_per_weight, ppl, ppl_error; \
      tokens, windows; kld of b from a, rms_probability_change and top1_agreement as of `vise \
      evaluate`.
      """)

  @Argument(help: "The checkpoint to compare with, such as the original.", completion: .file())
  var first: String

  @Argument(help: "The checkpoint that is measured.", completion: .file())
  var second: String

  @Option(help: "A UTF-8 text, or JSON lines with a text or messages field.", completion: .file())
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
    let models = [try session.open(first), try session.open(second)]
    let found = try session.evaluate(
      EvaluationRequest(
        textPath: text, window: window, windowLimit: windows, compares: true,
        referencePath: first))
    if json {
      try JSONOutput.write(CompareResult(models, found))
    } else {
      OutputStream.standard.write(Self.text(of: models, found))
    }
  }

  private static func text(
    of models: [ModelDescription], _ found: EvaluationSummary
  ) -> String {
    var table = TextTable(["", "MB", "bpw", "checkpoint"], words: [0, 3])
    for (name, model) in zip(["reference", "compressed"], models) {
      table.add([name, model.tensorBytes.megabytes, model.bitsPerWeight.fixed(2), model.path])
    }
    return "\(table.text)\n\(EvaluateCommand.text(of: found))"
  }
}

extension ModelDescription {
  /// Bits of all tensors for each weight.
  fileprivate var bitsPerWeight: Double {
    8 * Double(tensorBytes) / Double(max(parameterCount, 1))
  }
}

/// What `vise compare --json` prints.
private struct CompareResult: Encodable {
  struct Model: Encodable {
    let path: String
    let bytes: Int
    let bitsPerWeight: Figure
    let ppl: Figure
    let pplError: Figure

    init(_ model: ModelDescription, ppl: Figure?, error: Figure?) {
      path = model.path
      bytes = model.tensorBytes
      bitsPerWeight = Figure(model.bitsPerWeight)
      self.ppl = ppl ?? Figure(nil)
      pplError = error ?? Figure(nil)
    }
  }

  let a: Model
  let b: Model
  let tokens: Int
  let windows: Int
  let kld: EvaluateResult.Divergence?
  let rmsProbabilityChange: Figure?
  let rmsProbabilityChangeError: Figure?
  let top1Agreement: Figure?
  let top1AgreementError: Figure?

  init(_ models: [ModelDescription], _ summary: EvaluationSummary) {
    let found = EvaluateResult(summary)
    a = Model(models[0], ppl: found.referencePpl, error: found.referencePplError)
    b = Model(models[1], ppl: found.ppl, error: found.pplError)
    tokens = found.tokens
    windows = found.windows
    kld = found.kld
    rmsProbabilityChange = found.rmsProbabilityChange
    rmsProbabilityChangeError = found.rmsProbabilityChangeError
    top1Agreement = found.top1Agreement
    top1AgreementError = found.top1AgreementError
  }
}
