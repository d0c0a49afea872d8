import ArgumentParser
import Compression
import Engine
import Export

/// `vise export`: the model under a plan, as servers load it.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes the model under a plan as vLLM, transformers or llama.cpp load it.",
    discussion: """
      Everything is checked before any work: what the target cannot hold is listed by layer with \
      the nearest scheme that it can, and ends with status 65. Bytes are exact. Layers that need \
      no calibration are compressed and written one at a time, so that models larger than memory \
      can be exported. An interrupted export leaves OUTPUT.partial; the same command goes on from \
      there.

      --format report writes what the plan is and what it costs, to read: one HTML page, Markdown \
      and JSON; --text, --sensitivity and --prompt add figures, the frontier and answers.

      --format recipe writes what makes the same model elsewhere: a recipe for llm-compressor with a \
      program that runs it, or for llama.cpp tensor types and, after a calibration, an imatrix.

      Beside what holds tensors a receipt is written, DIR/vise-receipt.json or FILE.receipt.json: what it \
      was made from, the plan, and a hash of each file; with --measure also the KLD of the files from \
      the original. `vise verify` checks it.

      --json: format, target, output, written, bytes, files[] of name, bytes, refusals[] of layer, \
      reason, nearest (or null), notes[] of what the target computes otherwise.
      """)

  @OptionGroup var model: ModelArgument

  @Option(
    help: "A plan file; without it, all layers stay as they are.",
    completion: .file(extensions: ["yaml", "yml"]))
  var plan: String?

  @OptionGroup var options: ExportOptions

  @Option(
    help: """
      A text to calibrate the plan's methods on, if they need that, in windows as --window says; \
      without it, calibration.txt beside the model or in Samples.
      """, completion: .file())
  var calibration: String?

  @Option(help: "Most tokens to read of --calibration.")
  var calibrationTokens = 16_384

  @OptionGroup(title: "For --format report, and --sensitivity for recipe") var report: ReportOptions

  @Flag(help: "Prints JSON.")
  var json = false

  func validate() throws {
    try CalibrationOptions.check(window: report.reading.window, tokens: calibrationTokens)
    guard !report.asksForMore || isReport else {
      throw ValidationError("--text, --windows and --prompt are for --format report.")
    }
    guard report.sensitivity == nil || options.format?.holdsTensors == false else {
      throw ValidationError("--sensitivity is for --format report and recipe.")
    }
  }

  private var isReport: Bool { options.format == .report }

  func run() throws {
    // A report measures the compressed model, so that needs to be in memory.
    let session = EngineSession(EngineSettings(streamsExports: !isReport))
    defer { session.close() }
    let description = try session.open(model.path)
    if let calibration, options.writes {
      _ = try session.calibrate(
        CalibrationRequest(
          textPath: calibration, window: report.reading.window, tokenLimit: calibrationTokens,
          collectsWhenNeeded: true))
    }
    if let plan { session.setPlan(try PlanFile.read(plan), from: plan, for: description) }
    if let path = report.sensitivity { session.send(.openSensitivity(path: path)) }
    let notes = isReport && options.writes ? try session.reportNotes(report) : ReportNotes()
    let result = try session.export(options, notes: notes)
    let measured = try session.measure(result, madeFrom: model.path, options.receipt)
    if json {
      try JSONOutput.write(result)
    } else {
      OutputStream.standard.write(result.text)
      if let measured { OutputStream.standard.write(EvaluateCommand.text(of: measured)) }
    }
    try result.check()
  }
}
