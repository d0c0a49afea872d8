import ArgumentParser
import Checkpoints
import Compression
import Engine
import Export
import Inference

/// `vise compress`: from a checkpoint and a budget to files that a server loads.
struct CompressCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compress",
    abstract: "Compresses a model into a budget, in one step, as a target loads it.",
    discussion: """
      Measures sensitivity on a text, finds the plan of least predicted divergence among what the \
      target can hold, compresses, and exports: `vise sensitivity`, `allocate` and `export` in one.

      --json: allocation, as of `vise allocate`, and export, as of `vise export`.
      """)

  @OptionGroup var model: ModelArgument

  @Option(
    help:
      "90MB, 1.5GiB, 3000000 (bytes), 4.5bpw, or kld=0.05 for the smallest plan of that divergence."
  )
  var budget: BudgetTarget

  @OptionGroup var options: ExportOptions

  @OptionGroup(title: "Calibration") var text: CalibrationOptions

  @Option(help: "A file that `vise sensitivity` wrote, in place of measuring.", completion: .file())
  var sensitivity: String?

  @Option(
    help: "What layers may get, as --candidates of `vise sensitivity`; the target's usual ones.")
  var types: String?

  @Option(help: "The plan file to write.", completion: .file(extensions: ["yaml", "yml"]))
  var savePlan: String?

  @Flag(help: "Prints JSON.")
  var json = false

  func validate() throws {
    guard options.request.format.standardTarget != nil else {
      throw ValidationError("--format is compressed-tensors or gguf here.")
    }
  }

  func run() throws {
    let session = EngineSession(EngineSettings(streamsExports: true))
    defer { session.close() }
    let description = try session.open(model.path)
    // Whatever stands in the way of the files is said before minutes of work.
    if let obstacle = try session.previewExport(options.request).obstacle {
      throw CommandFailure(status: .failed, message: obstacle)
    }
    let allocation = try allocate(in: session)
    let plan = allocation.plan(for: description)
    if let savePlan { try PlanFile.write(plan, to: savePlan) }
    if sensitivity != nil, options.writes, allocation.needsCalibration {
      var request = try text.request(for: model.path)
      request.collectsWhenNeeded = true
      _ = try session.calibrate(request)
    }
    session.setPlan(plan, for: description)
    let found = AllocateResult(allocation, of: description, before: [:], output: savePlan)
    if !json { OutputStream.standard.write(found.text + "\n") }
    let exported = try session.export(options)
    let measured = try session.measure(exported, madeFrom: model.path, options.receipt)
    if json {
      try JSONOutput.write(CompressResult(allocation: found, export: exported))
    } else {
      OutputStream.standard.write(exported.text)
      if let measured { OutputStream.standard.write(EvaluateCommand.text(of: measured)) }
    }
    try exported.check()
  }

  /// The best plan among what the target can hold.
  private func allocate(in session: EngineSession) throws(CommandFailure) -> AllocationResult {
    let limits = TargetLimits.of(options.request.target)
    let named = try CandidateOptions.schemes(named: types ?? limits.usualCandidates)
    // Where the target holds none of them, the export says why.
    let held = named.filter { limits.has($0) }
    let candidates = held.isEmpty ? named : held
    if let sensitivity {
      session.send(.openSensitivity(path: sensitivity))
    } else {
      _ = try session.measureSensitivity(
        SensitivityRequest(
          textPath: try text.path(for: model.path), window: text.window,
          tokenLimit: text.tokens, candidates: candidates))
    }
    session.send(
      .allocate(budget, AllocationSettings(candidates: candidates, target: limits.target)))
    return try session.next { event in
      if case .allocated(let result) = event { result } else { nil }
    }
  }
}

extension AllocationResult {
  var needsCalibration: Bool {
    schemes.values.contains { $0.calibrationNeed > .nothing }
  }
}

extension TargetLimits {
  /// What layers may get where nobody said it, in the words of `--types`: what runs without anything extra.
  var usualCandidates: String {
    switch target {
    case .transformers: "int"
    case .vllm: "4g128,4g64,4g32,8g128,8g64"
    case .vllmCPU: "4g128,4g64,4g32,8gchannel"
    case .llamaCpp: "gguf"
    }
  }
}

/// What `vise compress --json` prints.
private struct CompressResult: Encodable {
  let allocation: AllocateResult
  let export: ExportResult
}
