import ArgumentParser
import Compression
import Engine
import Export
import Inference

/// What an export's receipt says beside hashes and the plan.
struct ReceiptOptions: ParsableArguments {
  @Option(
    help: """
      A UTF-8 text, or JSON lines with a text or messages field: the files are measured beside the original on it, and the \
      receipt says so.
      """, completion: .file())
  var measure: String?

  @Option(help: "Most windows of --measure to read; without it, the whole text.")
  var measureWindows: Int?

  @Flag(help: "Writes no receipt.")
  var noReceipt = false

  func validate() throws {
    guard measure == nil || !noReceipt else {
      throw ValidationError("--measure is told by the receipt, which --no-receipt leaves out.")
    }
    guard measureWindows == nil || measure != nil && (measureWindows ?? 0) > 0 else {
      throw ValidationError("--measure-windows is at least 1, and goes with --measure.")
    }
  }
}

extension EngineSession {
  /// Measures an export beside the checkpoint that it was made from, and adds that to its receipt.
  ///
  /// - Throws: ``CommandFailure`` when one of them, the text or the receipt cannot be read, or on Ctrl-C.
  func measureExport(
    at path: String, madeFrom source: String, on text: String, windows: Int?
  ) throws(CommandFailure) -> EvaluationSummary {
    let found = try compare(path, with: source, on: text, window: nil, windows: windows)
    do throws(ExportError) {
      var receipt = try Receipt(ofExport: path)
      receipt.measured.append(
        Receipt.Measurement(
          found, on: try FileHashing.file(text, as: text), window: nil, windowLimit: windows))
      try receipt.write(besideExport: path)
    } catch {
      throw CommandFailure(status: .failed, message: error.description)
    }
    return found
  }

  /// Measures what was written, if that was asked for.
  func measure(
    _ result: ExportResult, madeFrom source: String, _ options: ReceiptOptions
  ) throws(CommandFailure) -> EvaluationSummary? {
    guard result.written, let text = options.measure else { return nil }
    return try measureExport(
      at: result.output, madeFrom: source, on: text, windows: options.measureWindows)
  }

  /// What an export computes beside its source.
  func compare(
    _ path: String, with source: String, on text: String, window: Int?, windows: Int?
  ) throws(CommandFailure) -> EvaluationSummary {
    _ = try open(path)
    return try evaluate(
      EvaluationRequest(
        textPath: text, window: window, windowLimit: windows, compares: true,
        referencePath: source))
  }
}

extension Receipt.Measurement {
  init(_ found: EvaluationSummary, on text: Receipt.File, window: Int?, windowLimit: Int?) {
    let estimates: [(String, Estimate?)] = [
      ("reference_ppl", found.referencePPL), ("ppl", found.compressedPPL),
      ("kld", found.divergence?.mean), ("kld_median", found.divergence?.median),
      ("kld_p99", found.divergence?.p99), ("top1_agreement", found.top1Agreement),
    ]
    var figures: [String: Receipt.Figure] = [:]
    for (name, estimate) in estimates {
      figures[name] = estimate.map {
        Receipt.Figure(value: $0.value, standardError: $0.standardError)
      }
    }
    self.init(
      text: text, window: window, windowLimit: windowLimit, tokens: found.tokens,
      windows: found.windows, figures: figures)
  }
}
