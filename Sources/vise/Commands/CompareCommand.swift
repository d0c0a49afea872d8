import ArgumentParser
import Checkpoints
import Compression
import Engine
import Inference
import Tensors

/// `vise compare`: two checkpoints of one model, in bytes, in weights and in what they predict.
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Measures how far a checkpoint is from another one of the same model.",
    discussion: """
      Layer by layer, the weights that both decode to are compared: the error is the length of the \
      difference over that of the first checkpoint's weights. With --text both read the same tokens; \
      each window is read afresh, and its second half is scored.

      --json: a and b, each of path, bytes (of all tensors), bits_per_weight, ppl, ppl_error; \
      layers[] of name, a and b, each of scheme and bytes, relative_error (null where a is zero), \
      sqnr_db (null where there is no difference); with --text also tokens, windows, kld of b from \
      a, rms_probability_change and top1_agreement as of `vise evaluate`.
      """)

  @Argument(help: "The checkpoint to compare with, such as the original.", completion: .file())
  var first: String

  @Argument(help: "The checkpoint that is measured.", completion: .file())
  var second: String

  @Option(
    help: "A UTF-8 text, or JSON lines with a text or messages field, to measure KLD on.",
    completion: .file())
  var text: String?

  @OptionGroup var reading: WindowOptions

  @Option(
    help: """
      The layers to list, by a glob such as '*.down_proj' or re:EXPRESSION; without it, the \
      \(Self.worstCount) worst, and with --json all.
      """)
  var layers: String?

  @Flag(help: "Lists layers in the model's order; without it, the worst come first.")
  var inOrder = false

  @Flag(help: "Prints JSON.")
  var json = false

  /// Layers that are listed where nobody says which.
  private static let worstCount = 10

  private static let job = CommandJob.comparison.id

  func validate() throws {
    guard text != nil || reading.window == nil && reading.windows == nil else {
      throw ValidationError("--window and --windows are for --text.")
    }
  }

  func run() throws {
    let session = EngineSession()
    defer { session.close() }
    let models = [try session.open(first), try session.open(second)]
    let differences = try compareLayers(of: models[1], in: session)
    let found = try text.map { text in
      try session.evaluate(
        EvaluationRequest(
          textPath: text, window: reading.window, windowLimit: reading.windows, compares: true,
          referencePath: first))
    }
    if json {
      try JSONOutput.write(CompareResult(models, differences, found))
    } else {
      OutputStream.standard.write(Self.text(of: models))
      if let found { OutputStream.standard.write("\n\(EvaluateCommand.text(of: found))") }
      OutputStream.standard.write("\n\(listing(differences))")
    }
  }

  private func compareLayers(
    of model: ModelDescription, in session: EngineSession
  ) throws(CommandFailure) -> [LayerDifference] {
    var names: [String]?
    if let layers {
      let pattern: LayerPattern
      do { pattern = try LayerPattern(layers) } catch {
        throw CommandFailure(status: .usage, message: error.reason)
      }
      names = model.layerShapes.filter { pattern.matches($0) }.map(\.name)
      guard names != [] else {
        throw CommandFailure(status: .usage, message: "no layer is called \(layers)")
      }
    }
    session.send(
      .compareLayers(Self.job, LayerComparisonRequest(referencePath: first, layers: names)))
    let found = try session.next { event in
      if case .layersCompared(Self.job, let found) = event { found } else { nil }
    }
    // A sort keeps the model's order of equals only where it is told to.
    return inOrder
      ? found
      : found.enumerated().sorted {
        ($1.element.relativeError ?? 0, $0.offset) < ($0.element.relativeError ?? 0, $1.offset)
      }.map(\.element)
  }

  private static func text(of models: [ModelDescription]) -> String {
    var table = TextTable(["", "MB", "bpw", "checkpoint"], words: [0, 3])
    for (name, model) in zip(["a", "b"], models) {
      table.add([name, model.tensorBytes.megabytes, model.bitsPerWeight.fixed(2), model.path])
    }
    return table.text
  }

  private func listing(_ differences: [LayerDifference]) -> String {
    let isCut = layers == nil && !inOrder && differences.count > Self.worstCount
    let shown = isCut ? Array(differences.prefix(Self.worstCount)) : differences
    var table = TextTable(["layer", "a", "b", "MB", "error %", "dB"], words: [0, 1, 2])
    for layer in shown {
      table.add([
        layer.layer, layer.reference.scheme, layer.compared.scheme,
        layer.compared.bytes.megabytes, layer.relativeError.map { (100 * $0).fixed(3) } ?? "-",
        layer.sqnr?.fixed(2) ?? "-",
      ])
    }
    let rest =
      "the \(Self.worstCount) worst of \(differences.count) layers; --layers '*' lists all\n"
    return table.text + (isCut ? rest : "")
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

  struct Layer: Encodable {
    let name: String
    let a: LayerDifference.Side
    let b: LayerDifference.Side
    let relativeError: Figure
    let sqnrDb: Figure

    init(_ difference: LayerDifference) {
      name = difference.layer
      a = difference.reference
      b = difference.compared
      relativeError = Figure(difference.relativeError)
      sqnrDb = Figure(difference.sqnr)
    }
  }

  let a: Model
  let b: Model
  let layers: [Layer]
  let tokens: Int?
  let windows: Int?
  let kld: EvaluateResult.Divergence?
  let rmsProbabilityChange: Figure?
  let rmsProbabilityChangeError: Figure?
  let top1Agreement: Figure?
  let top1AgreementError: Figure?

  init(
    _ models: [ModelDescription], _ differences: [LayerDifference], _ summary: EvaluationSummary?
  ) {
    let found = summary.map { EvaluateResult($0) }
    a = Model(models[0], ppl: found?.referencePpl, error: found?.referencePplError)
    b = Model(models[1], ppl: found?.ppl, error: found?.pplError)
    layers = differences.map(Layer.init)
    tokens = found?.tokens
    windows = found?.windows
    kld = found?.kld
    rmsProbabilityChange = found?.rmsProbabilityChange
    rmsProbabilityChangeError = found?.rmsProbabilityChangeError
    top1Agreement = found?.top1Agreement
    top1AgreementError = found?.top1AgreementError
  }
}
