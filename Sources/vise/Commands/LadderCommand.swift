import Allocation
import ArgumentParser
import Checkpoints
import Compression
import Engine
import Export
import FoundationEssentials
import Inference
import Tensors

/// A list of budgets behind one option.
struct BudgetList: ExpressibleByArgument {
  /// As they were written, and what they ask for.
  let rungs: [(text: String, target: BudgetTarget)]

  init?(argument: String) {
    var rungs: [(String, BudgetTarget)] = []
    for word in argument.split(separator: ",") {
      let text = word.filter { !$0.isWhitespace }
      guard let target = BudgetTarget(text) else { return nil }
      rungs.append((text, target))
    }
    guard !rungs.isEmpty else { return nil }
    self.rungs = rungs
  }
}

/// `vise ladder`: a family of sizes of one model, from one measurement of its sensitivity.
struct LadderCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ladder",
    abstract:
      "Writes a model in several sizes, each the best plan of its bytes, with a model card.",
    discussion: """
      Sensitivity is measured once, or read; for each size the plan of least predicted divergence is \
      found, exported to OUTPUT/MODEL-SIZE, and saved as OUTPUT/MODEL-SIZE.yaml. With --measure the \
      files are measured beside the original. OUTPUT/README.md is the table of them, which grows \
      with each size. Sizes whose files are there are left as they are: the same command goes on \
      where it was interrupted.

      --json: model, output, rungs[] of size, path, plan, bytes, bits_per_weight, predicted_kld, kld, \
      kld_error, ppl (null where nothing was measured).
      """)

  @OptionGroup var model: ModelArgument

  @Option(help: "Sizes, largest or smallest first: 3bpw,4bpw,5bpw, or 90MB,120MB, or kld=0.01.")
  var sizes: BudgetList

  @Option(help: "Who is to load them: transformers, vllm, vllm-cpu or llama.cpp.")
  var target: ExportTarget

  @Option(help: "The folder for all of it; it is made.", completion: .directory)
  var output: String

  @Option(help: "A file that `vise sensitivity` wrote, in place of measuring.", completion: .file())
  var sensitivity: String?

  @OptionGroup(title: "Calibration") var text: CalibrationOptions

  @Option(
    help: "What layers may get, as --candidates of `vise sensitivity`; the target's usual ones.")
  var types: String?

  @Option(help: "A text that calibration has not seen, to measure each on.", completion: .file())
  var measure: String?

  @Option(help: "Most windows of --measure to read; without it, the whole text.")
  var measureWindows: Int?

  @Flag(help: "Prints JSON.")
  var json = false

  func run() throws {
    let session = EngineSession(EngineSettings(streamsExports: true))
    defer { session.close() }
    let description = try session.open(model.path)
    do throws(StorageError) {
      if try FileSystem.kind(of: output) == nil { try FileSystem.makeDirectory(output) }
    } catch {
      throw CommandFailure(status: .failed, message: error.description)
    }
    let candidates = try measuredCandidates(in: session)
    let measuredText = try measuredText()
    var card = ModelCard(description, target: target, text: measure)
    for rung in sizes.rungs {
      // Measuring opens the export in the model's place.
      _ = try session.open(model.path)
      try reopenSensitivity(in: session)
      card.rungs.append(
        try write(rung, candidates, of: description, measuredOn: measuredText, in: session))
      do throws(StorageError) {
        try OutputFile.write(Array(card.markdown.utf8), to: "\(output)/README.md")
      } catch {
        throw CommandFailure(status: .failed, message: error.description)
      }
    }
    if json {
      try JSONOutput.write(
        LadderResult(model: description.name, output: output, rungs: card.rungs))
    } else {
      OutputStream.standard.write(card.table + "written to \(output)\n")
    }
  }

  /// Where what was measured is kept while sizes are written.
  private var sensitivityPath: String { sensitivity ?? "\(output)/sensitivity.bin" }

  private func reopenSensitivity(in session: EngineSession) throws(CommandFailure) {
    session.send(.openSensitivity(path: sensitivityPath))
  }

  /// What layers may get, once it is known what each costs.
  private func measuredCandidates(in session: EngineSession) throws(CommandFailure) -> [Scheme] {
    let limits = TargetLimits.of(target)
    let named = try CandidateOptions.schemes(named: types ?? limits.usualCandidates)
    let held = named.filter { limits.has($0) }
    guard sensitivity == nil, (try? FileSystem.kind(of: sensitivityPath)) == nil else {
      try checkOrigin(in: session)
      return held
    }
    _ = try session.measureSensitivity(
      SensitivityRequest(
        textPath: try text.path(for: model.path), window: text.window, tokenLimit: text.tokens,
        candidates: held, savePath: sensitivityPath))
    return held
  }

  /// Says what the sensitivity at hand was measured on; refuses one of another text than was asked for.
  private func checkOrigin(in session: EngineSession) throws(CommandFailure) {
    let origin: Sensitivity.Origin
    do { origin = try Sensitivity(path: sensitivityPath).origin } catch {
      throw CommandFailure(status: .failed, message: "\(error)")
    }
    if let asked = text.text?.fileName, asked != origin.text.fileName {
      throw CommandFailure(
        status: .failed,
        message:
          "\(sensitivityPath) was measured on \(origin.text), not on \(asked); remove it, so that it is "
          + "measured again")
    }
    session.note(
      "\(sensitivityPath) was measured on \(origin.gradientTokens) tokens of \(origin.text)")
  }

  private func write(
    _ rung: (text: String, target: BudgetTarget), _ candidates: [Scheme],
    of description: ModelDescription, measuredOn measuredText: Receipt.File?,
    in session: EngineSession
  ) throws -> LadderRung {
    session.send(
      .allocate(rung.target, AllocationSettings(candidates: candidates, target: target)))
    let found = try session.next { event in
      if case .allocated(let result) = event { result } else { nil }
    }
    let name = "\(description.name)-\(rung.text.replacing("=", with: ""))"
    let path = "\(output)/\(name)\(target.format == .gguf ? ".gguf" : "")"
    let plan = found.plan(for: description)
    let isWritten = try isWritten(path, by: plan, for: description)
    try PlanFile.write(plan, to: "\(output)/\(name).yaml")
    if !isWritten {
      if found.needsCalibration {
        var request = try text.request(for: model.path)
        request.collectsWhenNeeded = true
        _ = try session.calibrate(request)
      }
      session.setPlan(plan, for: description)
      _ = try session.write(
        ExportRequest(format: target.format, target: target, path: path, writesReceipt: true))
    }
    var measured = try knownMeasurement(of: path, on: measuredText)
    if measured == nil, let measure {
      _ = try session.measureExport(
        at: path, madeFrom: model.path, on: measure, windows: measureWindows)
      measured = try knownMeasurement(of: path, on: measuredText)
    }
    return LadderRung(
      size: rung.text, path: path, plan: "\(name).yaml", bytes: found.bytes,
      bitsPerWeight: found.bitsPerWeight, predictedKld: found.divergence.mean,
      kld: Figure(measured?.figures["kld"]?.value),
      kldError: Figure(measured?.figures["kld"]?.standardError),
      ppl: Figure(measured?.figures["ppl"]?.value))
  }

  /// Whether an earlier run wrote a size.
  ///
  /// - Throws: ``CommandFailure`` when what is there is of another plan.
  private func isWritten(
    _ path: String, by plan: Plan, for model: ModelDescription
  ) throws -> Bool {
    guard (try? FileSystem.kind(of: path)) != nil else { return false }
    let stated = try? Plan(yaml: receipt(of: path).plan).schemes(for: model.layerShapes)
    guard try stated == plan.schemes(for: model.layerShapes) else {
      throw CommandFailure(
        status: .failed,
        message: "\(path): is there, and of another plan; remove it, or name another folder")
    }
    return true
  }

  private func receipt(of path: String) throws(CommandFailure) -> Receipt {
    do throws(ExportError) { return try Receipt(ofExport: path) } catch {
      throw CommandFailure(
        status: .failed,
        message: "\(error.description); remove \(path), so that it is written again")
    }
  }

  /// The text of --measure as receipts know it; nil where nothing is measured.
  private func measuredText() throws(CommandFailure) -> Receipt.File? {
    guard let measure else { return nil }
    do throws(ExportError) { return try FileHashing.file(measure, as: measure) } catch {
      throw CommandFailure(status: .failed, message: error.description)
    }
  }

  /// What the receipt says of the text, from an earlier run or this one.
  private func knownMeasurement(
    of path: String, on text: Receipt.File?
  ) throws(CommandFailure) -> Receipt.Measurement? {
    guard let text else { return nil }
    return try receipt(of: path).measured.last {
      $0.text == text && $0.windowLimit == measureWindows
    }
  }
}

/// One size of a ladder.
struct LadderRung: Encodable {
  let size: String
  let path: String
  let plan: String
  let bytes: Int
  let bitsPerWeight: Double
  let predictedKld: Double
  let kld: Figure
  let kldError: Figure
  let ppl: Figure
}

/// What `vise ladder --json` prints.
private struct LadderResult: Encodable {
  let model: String
  let output: String
  let rungs: [LadderRung]
}
