import ArgumentParser
import Checkpoints
import Compression
import Engine
import Inference
import Tensors

/// `vise preview`: what a plan saves and what it breaks.
struct PreviewCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "preview",
    abstract: "Shows what a plan saves and what it breaks, from every weight.",
    discussion: """
      --json: layers[] of name, scheme, bytes_before, bytes_after, bits_per_weight, mse, sqnr_db \
      (null without error), cosine, max_error, for the layers that the plan compresses; pruned ones \
      have bytes_with_bitmask, those quantized too also dense of scheme, bytes, sqnr_db: about what \
      so many bytes hold without zeros; total of bytes_before, bytes_after, bits_per_weight, for \
      the whole model.
      """)

  @OptionGroup var model: ModelArgument

  @Option(help: "A plan file.", completion: .file(extensions: ["yaml", "yml"]))
  var plan: String?

  @OptionGroup(title: "Instead of a plan file") var scheme: SchemeOptions

  @Option(
    help: "A text to calibrate the plan's methods on, if they need that.", completion: .file())
  var calibration: String?

  @Flag(help: "Prints JSON.")
  var json = false

  func validate() throws {
    guard (plan != nil) != !scheme.isEmpty else {
      throw ValidationError("Say what to preview: either --plan, or --bits, --sparsity or both.")
    }
  }

  func run() throws {
    let session = EngineSession()
    defer { session.close() }
    var description = try session.open(model.path)
    for damaged in try session.damage(in: model.path) { session.warn(damaged) }
    if let calibration {
      _ = try session.calibrate(CalibrationRequest(textPath: calibration))
    }
    session.setPlan(
      try plan.map(PlanFile.read) ?? scheme.plan, from: plan, for: description)
    var reports: [String: LayerReport] = [:]
    try session.next { event in
      if case .restructured(let pruned) = event { description = pruned }
      if case .report(let report) = event, report.standing == .exact {
        reports[report.layer] = report
      }
      if case .compressed(let layers, let total) = event, layers == total { return () }
      return nil
    }
    var rivals: [String: LayerReport] = [:]
    for shape in description.layerShapes {
      guard let rival = reports[shape.name]?.scheme.denseRival(for: shape) else { continue }
      rivals[shape.name] = try session.sampledReport(on: shape.name, under: rival)
    }
    let result = PreviewResult(model: description, reports: reports, rivals: rivals)
    if json {
      try JSONOutput.write(result)
    } else {
      OutputStream.standard.write(result.text)
    }
  }
}

extension EngineSession {
  /// The first report on a layer under a scheme that is not the plan's.
  fileprivate func sampledReport(
    on layer: String, under scheme: Scheme
  ) throws(CommandFailure) -> LayerReport {
    let job = CommandJob.preview.id
    send(.preview(job, layer: layer, scheme: scheme))
    defer { send(.cancel(job)) }
    return try next { event in
      guard case .report(let report) = event, report.layer == layer, report.scheme == scheme else {
        return nil
      }
      return report
    }
  }
}

/// What `vise preview --json` prints.
private struct PreviewResult: Encodable {
  struct Dense: Encodable {
    let scheme: String
    let bytes: Int
    let sqnrDb: Figure
  }

  struct Layer: Encodable {
    let name: String
    let scheme: String
    let bytesBefore: Int
    let bytesAfter: Int
    let bitsPerWeight: Figure
    let mse: Figure
    let sqnrDb: Figure
    let cosine: Figure
    let maxError: Figure
    let bytesWithBitmask: Int?
    let dense: Dense?

    init(_ report: LayerReport, rival: LayerReport?) {
      name = report.layer
      scheme = report.scheme.summary
      bytesBefore = report.size.original
      bytesAfter = report.size.total
      bitsPerWeight = Figure(report.bitsPerWeight)
      mse = Figure(report.error.mse)
      sqnrDb = Figure(report.error.sqnr)
      cosine = Figure(report.error.cosine)
      maxError = Figure(report.error.maxError)
      bytesWithBitmask = report.size.withBitmask
      dense = rival.map {
        Dense(
          scheme: $0.scheme.summary, bytes: $0.size.total, sqnrDb: Figure($0.error.sqnr))
      }
    }
  }

  struct Total: Encodable {
    let bytesBefore: Int
    let bytesAfter: Int
    let bitsPerWeight: Figure
  }

  let layers: [Layer]
  let total: Total

  init(
    model: ModelDescription, reports: [String: LayerReport], rivals: [String: LayerReport]
  ) {
    layers = model.layers.compactMap { layer in
      reports[layer.name].map { Layer($0, rival: rivals[layer.name]) }
    }
    let saved = layers.reduce(0) { $0 + $1.bytesBefore - $1.bytesAfter }
    let after = model.tensorBytes - saved
    total = Total(
      bytesBefore: model.tensorBytes, bytesAfter: after,
      bitsPerWeight: Figure(Double(after) * 8 / Double(model.parameterCount)))
  }

  /// The same for people.
  var text: String {
    var table = TextTable(["layer", "MB", "bpw", "dB", "max err", "scheme"], words: [0, 5])
    for layer in layers {
      table.add([
        layer.name, layer.bytesAfter.megabytes,
        (layer.bitsPerWeight.value ?? .nan).fixed(2), (layer.sqnrDb.value ?? .nan).fixed(2),
        (layer.maxError.value ?? .nan).significant(2), layer.scheme,
      ])
    }
    let ratio = (Double(total.bytesBefore) / Double(total.bytesAfter)).fixed(2)
    return """
      \(table.text)
      \(total.bytesAfter.megabytes) MB of \(total.bytesBefore.megabytes) MB, \(ratio)x, \
      \((total.bitsPerWeight.value ?? .nan).fixed(2)) bpw

      """
  }
}
