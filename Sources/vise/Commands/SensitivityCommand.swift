import ArgumentParser
import Compression
import Engine

/// `vise sensitivity`: how much each layer matters, and what each scheme of it costs.
struct SensitivityCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sensitivity",
    abstract: "Measures how much each layer matters, for `vise allocate` to solve with.",
    discussion: """
      --json: text, gradient_tokens, output (the file written, or null), layers[] of name, \
      kld_per_relative_error, schemes[] of scheme, bytes, kld (predicted, nats a token), in the \
      model's order.
      """)

  @OptionGroup var model: ModelArgument

  @OptionGroup var text: CalibrationOptions

  @OptionGroup var candidates: CandidateOptions

  @Option(help: "Tokens that gradients are taken on.")
  var gradientTokens = 4096

  @Flag(
    help: """
      Weighs layers by the divergence that noise in each causes, in place of gradients: an \
      independent check, many times as long.
      """)
  var noise = false

  @Option(help: "The file to write.", completion: .file())
  var output: String?

  @Flag(help: "Prints JSON.")
  var json = false

  func run() throws {
    let session = EngineSession()
    defer { session.close() }
    _ = try session.open(model.path)
    let found = try session.measureSensitivity(
      SensitivityRequest(
        textPath: try text.path(for: model.path), window: text.window,
        gradientTokens: gradientTokens, tokenLimit: text.tokens,
        candidates: try candidates.schemes(), usesNoise: noise, savePath: output))
    if json {
      try JSONOutput.write(SensitivityResult(found))
    } else {
      OutputStream.standard.write(Self.text(of: found))
    }
  }

  private static func text(of summary: SensitivitySummary) -> String {
    var table = TextTable(["layer", "KLD per error", "least KLD", "most KLD"])
    let sorted = summary.layers.sorted {
      $0.divergencePerRelativeError > $1.divergencePerRelativeError
    }
    for layer in sorted {
      let costs = layer.schemes.map(\.divergence)
      table.add([
        layer.layer, layer.divergencePerRelativeError.significant(3),
        (costs.min() ?? .nan).significant(3), (costs.max() ?? .nan).significant(3),
      ])
    }
    let saved = summary.path.map { "\nwritten to \($0)\n" } ?? ""
    return table.text + saved
  }
}

extension EngineSession {
  /// Measures sensitivity, and warns where the text is too short.
  func measureSensitivity(
    _ request: SensitivityRequest
  ) throws(CommandFailure) -> SensitivitySummary {
    let job = CommandJob.sensitivity.id
    send(.measureSensitivity(job, request))
    return try next { event in
      if case .calibrated(job, let summary) = event, let warning = summary.warning {
        warn(warning)
      }
      if case .sensitivityDrafted(job, let summary) = event, let path = summary.path,
        let note = summary.note
      {
        warn("\(path) holds \(note)")
      }
      return if case .sensitivity(job, let summary) = event { summary } else { nil }
    }
  }
}

/// What `vise sensitivity --json` prints.
private struct SensitivityResult: Encodable {
  struct Layer: Encodable {
    struct Option: Encodable {
      let scheme: String
      let bytes: Int
      let kld: Figure
    }

    let name: String
    let kldPerRelativeError: Figure
    let schemes: [Option]
  }

  let text: String
  let gradientTokens: Int
  let output: String?
  let layers: [Layer]

  init(_ summary: SensitivitySummary) {
    text = summary.textPath
    gradientTokens = summary.gradientTokens
    output = summary.path
    layers = summary.layers.map { layer in
      Layer(
        name: layer.layer, kldPerRelativeError: Figure(layer.divergencePerRelativeError),
        schemes: layer.schemes.map {
          Layer.Option(
            scheme: $0.scheme.summary, bytes: $0.bytes, kld: Figure($0.divergence))
        })
    }
  }
}
