import Allocation
import Checkpoints
import Compression
import Export
import Inference
import Tensors

/// What a report tells of the model under the current plan.
extension Workspace {
  /// All that is known now; layers that are not compressed yet have no errors and no histograms.
  func report(with notes: ReportNotes) -> Report {
    var layers: [ReportLayer] = []
    var bytes = description.tensorBytes
    for (number, shape) in shapes.enumerated() {
      let layer = reportLayer(number, shape)
      bytes += layer.bytes - layer.originalBytes
      layers.append(layer)
    }
    var marks = notes.marks
    if let divergence = notes.divergence {
      marks.insert(
        .init(name: "this plan", bytes: bytes, divergence: divergence, isMeasured: true), at: 0)
    }
    return Report(
      model: ReportModel(
        name: wholeDescription.name, architecture: wholeDescription.architecture,
        parameters: wholeDescription.parameterCount, bytes: wholeDescription.tensorBytes,
        fingerprint: wholeDescription.fingerprint),
      plan: namedPlan.yaml(), layers: layers, bytes: bytes,
      figures: predictedFigures + notes.figures, frontier: reportFrontier(with: marks),
      answers: notes.answers)
  }

  /// The current plan as a file of it says it.
  var namedPlan: Plan {
    let schemes = Dictionary(
      zip(shapes, plan.keys).map { ($0.name, $1.scheme) },
      uniquingKeysWith: { first, _ in first })
    var named = Plan(schemes: schemes, for: shapes)
    (named.model, named.fingerprint) = (wholeDescription.name, wholeDescription.fingerprint)
    named.structure = structure
    return named
  }

  private func reportLayer(_ number: Int, _ shape: LayerShape) -> ReportLayer {
    let key = key(ofPlanFor: number)
    let described = description.layers[number]
    let found = key.scheme.keepsLayer ? nil : report(for: key)
    let size = LayerSize.predicted(for: shape, scheme: key.scheme, original: described.bytes)
    return ReportLayer(
      name: shape.name, role: described.role.rawValue, block: described.block, rows: shape.rows,
      columns: shape.columns, scheme: key.scheme.summary, bits: key.scheme.quantization?.bits,
      originalBytes: described.bytes, bytes: found?.size.total ?? size.total, report: found)
  }

  private var predictedFigures: [ReportFigure] {
    guard let predicted = predictedDivergence() else { return [] }
    let band = "\(predicted.low.significant(3)) to \(predicted.high.significant(3))"
    return [
      ReportFigure(
        name: "mean KLD", value: predicted.mean, unit: "nats a token", isPredicted: true,
        how: "from measured sensitivity; it should lie in \(band)")
    ]
  }

  private func reportFrontier(with marks: [ReportFrontier.Point]) -> ReportFrontier? {
    guard let found = try? frontier(AllocationSettings()) else { return nil }
    return ReportFrontier(
      curve: found.curve.map { .init(bytes: $0.bytes, divergence: $0.divergence) },
      // What the report is about comes first.
      marks: marks
        + found.marks.reversed().map { mark in
          .init(
            name: mark.kind == .current ? "this plan" : mark.name, bytes: mark.bytes,
            divergence: mark.divergence)
        })
  }
}

extension ReportNotes {
  /// Takes on what an evaluation measured.
  ///
  /// - Parameters:
  ///   - found: the evaluation of the plan that is reported on.
  ///   - text: what it read, by name.
  public mutating func add(_ found: EvaluationSummary, on text: String) {
    divergence = found.divergence?.mean.value ?? divergence
    let how = "\(found.tokens) tokens scored in \(found.windows) windows of \(text)"
    func add(_ name: String, _ estimate: Estimate?, unit: String = "", scale: Double = 1) {
      guard let estimate else { return }
      figures.append(
        ReportFigure(
          name: name, value: estimate.value * scale,
          standardError: estimate.standardError.map { $0 * scale }, unit: unit, how: how))
    }
    add("mean KLD", found.divergence?.mean, unit: "nats a token")
    add("PPL", found.compressedPPL)
    add("PPL of the original", found.referencePPL)
    add("same most probable token", found.top1Agreement, unit: "%", scale: 100)
    add("median KLD", found.divergence?.median, unit: "nats a token")
    add("99th percentile of KLD", found.divergence?.p99, unit: "nats a token")
    add("largest KLD", found.divergence?.max, unit: "nats a token")
    add("RMS change of p", found.rmsProbabilityChange, unit: "%", scale: 100)
  }
}
