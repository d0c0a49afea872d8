import Allocation
import ArgumentParser
import Checkpoints
import Compression
import Engine
import Export
import Inference
import Tensors

/// `vise improve`: where a quantized file spends its bytes, and the best plan of the same size.
struct ImproveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "improve",
    abstract: "Reads a quantized file's layout, and finds the best plan of the same size.",
    discussion: """
      ORIGINAL is what FILE was made of, as it was before. The KLD of FILE is predicted from its own \
      weights; `vise compare ORIGINAL FILE --text TEXT` measures it. GGUF files are planned for \
      llama.cpp, others for vLLM. Without --sensitivity it is measured first, which takes minutes.

      --json: file of path, target, bytes, kld (mean, low, high; null where its weights cannot be \
      compared), best of bytes, kld, output; layers[] of name, file and best, each of scheme, bytes, \
      kld; relative_error.
      """)

  @OptionGroup var model: ModelArgument

  @Argument(help: "A quantized file or directory of the same model.", completion: .file())
  var file: String

  @Option(help: "A file that `vise sensitivity` wrote.", completion: .file())
  var sensitivity: String?

  @OptionGroup(title: "Without --sensitivity") var text: CalibrationOptions

  @Option(
    help: "What layers may get, as --candidates of `vise sensitivity`; the target's usual ones.")
  var types: String?

  @Option(
    help: "A plan file to write that has the layout of FILE.",
    completion: .file(extensions: ["yaml", "yml"]))
  var layout: String?

  @Option(
    help: "A plan file to write that has the best plan of the same size.",
    completion: .file(extensions: ["yaml", "yml"]))
  var output: String?

  @Option(help: "Layers to list; with --json, all are.")
  var list = 10

  @Flag(help: "Prints JSON.")
  var json = false

  private static let job = CommandJob.layout.id

  func run() throws {
    let session = EngineSession()
    defer { session.close() }
    let description = try session.open(model.path)
    let known = try sensitivity.map { try open($0, in: session) }
    // A file of another model is refused now, and not after the minutes that measuring takes.
    var found = try read(in: session)
    let limits = TargetLimits.of(found.target)
    var candidates = try types.map(CandidateOptions.schemes)
    var summary = known
    if summary == nil {
      let tried = try candidates ?? CandidateOptions.schemes(named: limits.usualCandidates)
      let held = tried.filter { limits.has($0) }
      candidates = held
      summary = try session.measureSensitivity(
        SensitivityRequest(
          textPath: try text.path(for: model.path), window: text.window, tokenLimit: text.tokens,
          candidates: held))
      found = try read(in: session)
    }
    session.send(
      .allocate(
        .bytes(found.bytes), AllocationSettings(candidates: candidates, target: found.target)))
    let best = try session.next { event in
      if case .allocated(let result) = event { result } else { nil }
    }
    if let layout {
      try PlanFile.write(Plan(schemes: found.schemes, of: description), to: layout)
    }
    if let output { try PlanFile.write(best.plan(for: description), to: output) }
    let result = ImproveResult(found, best, summary?.layers ?? [], of: description, output: output)
    if json {
      try JSONOutput.write(result)
    } else {
      OutputStream.standard.write(result.text(listing: list))
    }
  }

  private func open(
    _ path: String, in session: EngineSession
  ) throws(CommandFailure) -> SensitivitySummary {
    session.send(.openSensitivity(path: path))
    return try session.next { event in
      if case .sensitivity(nil, let summary) = event { summary } else { nil }
    }
  }

  private func read(in session: EngineSession) throws(CommandFailure) -> StoredLayout {
    session.send(.readLayout(Self.job, LayoutRequest(path: file)))
    return try session.next { event in
      if case .layoutRead(Self.job, let layout) = event { layout } else { nil }
    }
  }
}

/// What `vise improve --json` prints.
private struct ImproveResult: Encodable {
  struct File: Encodable {
    let path: String
    let target: String
    let bytes: Int
    let kld: Nullable<AllocateResult.Divergence>
  }

  struct Best: Encodable {
    let bytes: Int
    let kld: AllocateResult.Divergence
    let output: Nullable<String>
  }

  struct Side: Encodable {
    let scheme: String
    let bytes: Int
    let kld: Figure
  }

  struct Layer: Encodable {
    let name: String
    let file: Side
    let best: Side
    let relativeError: Figure

    /// What the file's bytes lose against the best plan's: the share of KLD that other bytes would save.
    var loss: Double { ((file.kld.value ?? 0) - (best.kld.value ?? 0)).magnitude }
  }

  let file: File
  let best: Best
  let layers: [Layer]

  init(
    _ found: StoredLayout, _ best: AllocationResult, _ costs: [LayerSensitivity],
    of model: ModelDescription, output: String?
  ) {
    file = File(
      path: found.path, target: found.target.rawValue, bytes: found.bytes,
      kld: Nullable(found.predicted.map(AllocateResult.Divergence.init)))
    self.best = Best(
      bytes: best.bytes, kld: AllocateResult.Divergence(best.divergence),
      output: Nullable(output))
    let known = Dictionary(
      costs.map { ($0.layer, $0.schemes) }, uniquingKeysWith: { first, _ in first })
    let kept = Dictionary(
      model.layers.map { ($0.name, $0.bytes) }, uniquingKeysWith: { first, _ in first })
    layers = found.layers.map { layer in
      let scheme = best.schemes[layer.name] ?? .keep
      let cost = known[layer.name]?.first { $0.scheme == scheme }
      return Layer(
        name: layer.name,
        file: Side(
          scheme: layer.stored, bytes: layer.bytes,
          kld: Figure(layer.scheme.keepsLayer ? 0 : layer.divergence)),
        best: Side(
          scheme: scheme.summary, bytes: cost?.bytes ?? kept[layer.name] ?? 0,
          kld: Figure(scheme.keepsLayer ? 0 : cost?.divergence)),
        relativeError: Figure(layer.relativeError))
    }
  }

  /// The same for people, with the layers in which the two differ most.
  func text(listing count: Int) -> String {
    var sizes = TextTable(["", "MB", "predicted KLD", "between"], words: [0, 3])
    sizes.add(["the file", file.bytes.megabytes] + Self.cells(of: file.kld.value))
    sizes.add(["the best plan", best.bytes.megabytes] + Self.cells(of: best.kld))
    var table = TextTable(
      ["layer", "file", "", "best", "bytes", "KLD", "", "KLD best"], words: [0, 1, 2, 3, 6])
    let listed = layers.filter { $0.file.scheme != $0.best.scheme }.sorted { $0.loss > $1.loss }
    for layer in listed.prefix(count) {
      let difference = layer.best.bytes - layer.file.bytes
      table.add([
        layer.name, layer.file.scheme, "→", layer.best.scheme,
        "\(difference > 0 ? "+" : "")\(difference)",
        layer.file.kld.value?.significant(3) ?? "?", "→",
        layer.best.kld.value?.significant(3) ?? "?",
      ])
    }
    let saved = best.output.value.map { "\nwritten to \($0)\n" } ?? ""
    return "\(sizes.text)\n\(table.text)\(saved)"
  }

  private static func cells(of divergence: AllocateResult.Divergence?) -> [String] {
    guard let divergence, let mean = divergence.mean.value else { return ["?", ""] }
    let (low, high) = (divergence.low.value ?? .nan, divergence.high.value ?? .nan)
    return [mean.significant(3), "\(low.significant(3)) and \(high.significant(3))"]
  }
}
