import ArgumentParser
import Compression
import Engine

/// `vise calibrate`: what layers read on a text, and an imatrix of it.
struct CalibrateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "calibrate",
    abstract:
      "Runs a text through the model and tells whether it is enough for calibrated methods.",
    discussion: """
      Plans with calibrated methods are calibrated when they are carried out; this command shows \
      beforehand what a text gives, and writes llama.cpp's imatrix.

      --json: text, tokens, windows, window (tokens), widest_input, tokens_per_input, experts (of each block with \
      experts: name, tokens of each, missed), warning (or null), imatrix (the file written, or null).
      """)

  @OptionGroup var model: ModelArgument

  @OptionGroup var text: CalibrationOptions

  @Option(help: "Where to write llama.cpp's imatrix (GGUF).", completion: .file())
  var imatrix: String?

  @Flag(help: "Prints JSON.")
  var json = false

  func run() throws {
    let session = EngineSession()
    defer { session.close() }
    _ = try session.open(model.path)
    var request = try text.request(for: model.path)
    request.imatrixPath = imatrix
    let found = try session.calibrate(request)
    if json {
      try JSONOutput.write(CalibrateResult(found, imatrix: imatrix))
    } else {
      OutputStream.standard.write(
        """
        \(found.textPath): \(found.tokens) tokens in \(found.windows) windows of \(found.window)
        \(found.tokensPerInput.fixed(1)) tokens for each of \(found.widestInput) input channels \
        of the widest layer

        """)
      if let line = found.experts.line { OutputStream.standard.writeLine(line) }
      if let imatrix { OutputStream.standard.writeLine("imatrix written to \(imatrix)") }
    }
  }
}

/// What `vise calibrate --json` prints.
private struct CalibrateResult: Encodable {
  let text: String
  let tokens: Int
  let windows: Int
  let window: Int
  let widestInput: Int
  let tokensPerInput: Figure
  let experts: [Experts]
  let warning: Nullable<String>
  let imatrix: Nullable<String>

  /// What the experts of a block read.
  struct Experts: Encodable {
    let name: String
    let tokens: [Int]
    let missed: [Int]
  }

  init(_ summary: CalibrationSummary, imatrix: String?) {
    text = summary.textPath
    tokens = summary.tokens
    windows = summary.windows
    window = summary.window
    widestInput = summary.widestInput
    tokensPerInput = Figure(summary.tokensPerInput)
    experts = summary.experts.map {
      Experts(name: $0.name, tokens: $0.tokens, missed: $0.missed)
    }
    warning = Nullable(summary.warning)
    self.imatrix = Nullable(imatrix)
  }
}

extension [ExpertCoverage] {
  /// `120 to 2110 tokens for each of 64 experts in 8 blocks`; nil without experts.
  fileprivate var line: String? {
    let tokens = flatMap(\.tokens)
    guard let least = tokens.min(), let most = tokens.max() else { return nil }
    let experts = map(\.tokens.count).max() ?? 0
    return "\(least) to \(most) tokens for each of \(experts) experts in \(count) blocks"
  }
}
