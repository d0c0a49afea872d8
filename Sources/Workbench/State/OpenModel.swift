import Allocation
import Checkpoints
import Compression
import Engine
import Export
import Inference
import Tensors

/// Where a layer's figures come from.
enum FigureStanding: Hashable, Sendable {
  /// The layer is kept: its figures are the checkpoint's own.
  case original
  /// Computed from the scheme alone, before the engine looked at the layer.
  case predicted
  /// From some of the layer's rows.
  case sampled
  /// From every weight.
  case exact

  /// Whether the figures get a `~`.
  var isEstimate: Bool { self == .predicted || self == .sampled }
}

/// The model that is open, with what the plan makes of each layer and what the engine found.
///
/// Layers are known by their index in the description; every array here has one element a layer.
struct OpenModel: Hashable, Sendable {
  let description: ModelDescription
  /// The checkpoint as it was opened, whatever the plan prunes it to.
  let whole: ModelDescription
  let shapes: [LayerShape]
  /// Layers of each block, in order.
  let layersOfBlock: [Int: [Int]]
  /// Layers of each role, in the order of their first ones.
  let layersOfRole: [[Int]]
  private let indexOfLayer: [String: Int]
  private(set) var schemes: [Scheme]
  private(set) var sizes: [LayerSize]
  /// The last report on each layer, of whichever scheme.
  private(set) var reports: [LayerReport?]
  /// The last report on the dense scheme that each layer stood against.
  private var rivalReports: [LayerReport?]
  /// What each layer's error costs; empty until that is measured.
  private(set) var sensitivity: [LayerSensitivity?] = []
  /// How far predictions of the KLD scatter, as the standard deviation of its logarithm.
  private var predictionSpread = SensitivitySummary.usualSpread
  /// What decides the bytes of the target's files; nil while nobody plans for a target.
  private(set) var outline: ExportOutline?
  /// What the plan makes of them.
  private(set) var forecast: ExportForecast?
  /// Layers that the plan changes and that are so in the running compressed model.
  private(set) var readyLayers = 0
  /// Layers that the plan changes.
  private(set) var changedLayers = 0

  /// The model of a description, pruned or as it was opened.
  init(_ description: ModelDescription, openedAs whole: ModelDescription? = nil) {
    self.description = description
    self.whole = whole ?? description
    shapes = description.layerShapes
    layersOfBlock = Dictionary(
      grouping: description.layers.indices.filter { description.layers[$0].block != nil },
      by: { description.layers[$0].block ?? 0 })
    layersOfRole = Dictionary(
      grouping: description.layers.indices, by: { description.layers[$0].role }
    ).values.sorted { $0[0] < $1[0] }
    indexOfLayer = Dictionary(
      description.layers.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first }
    )
    schemes = Array(repeating: .keep, count: shapes.count)
    sizes = zip(shapes, description.layers).map {
      LayerSize.predicted(for: $0, scheme: .keep, original: $1.bytes)
    }
    reports = Array(repeating: nil, count: shapes.count)
    rivalReports = reports
  }

  var layers: [LayerDescription] { description.layers }

  func index(ofLayer name: String) -> Int? { indexOfLayer[name] }

  /// Works out every layer's scheme and bytes under `plan`.
  ///
  /// - Throws: ``PlanError`` when the plan does not fit the model; nothing changed then.
  mutating func apply(_ plan: Plan) throws(PlanError) {
    let byName = try plan.schemes(for: shapes)
    for (index, shape) in shapes.enumerated() {
      let scheme = byName[shape.name] ?? .keep
      guard scheme != schemes[index] else { continue }
      schemes[index] = scheme
      sizes[index] = LayerSize.predicted(
        for: shape, scheme: scheme, original: layers[index].bytes)
    }
    forecast = outline?.forecast(of: schemes)
  }

  /// Counts bytes as a target's files have them from now on, or without one as tensors.
  mutating func plan(for outline: ExportOutline?) {
    guard outline.map({ $0.shapes == shapes }) ?? true else { return }
    self.outline = outline
    forecast = outline?.forecast(of: schemes)
  }

  /// Notes how far the running compressed model is what the plan says.
  mutating func noteReady(_ layers: Int, of total: Int) {
    (readyLayers, changedLayers) = (layers, total)
  }

  /// Takes on what was measured of the layers' sensitivity.
  mutating func note(_ summary: SensitivitySummary) {
    sensitivity = Array(repeating: nil, count: layers.count)
    predictionSpread = summary.spread
    for layer in summary.layers {
      if let index = indexOfLayer[layer.layer] { sensitivity[index] = layer }
    }
  }

  /// What a layer's error costs; nil while it is unknown.
  func sensitivity(of layer: Int) -> LayerSensitivity? {
    sensitivity.indices.contains(layer) ? sensitivity[layer] : nil
  }

  /// Predicted KLD of a layer under its present scheme, in nats a token; nil while it is unknown.
  ///
  /// A scheme that was not tried is predicted from the error that the layer was reported to have.
  func divergence(_ layer: Int) -> Double? {
    guard let known = sensitivity(of: layer) else { return nil }
    if schemes[layer].keepsLayer { return 0 }
    if let tried = known.schemes.first(where: { $0.scheme == schemes[layer] }) {
      return tried.divergence
    }
    guard let report = currentReport(layer) else { return nil }
    let error = report.error.sqnr.map { 1 / Decibel.ratio($0) } ?? 0
    let factor = PlanPredictor.unseenFactor(ofError: error, cancels: schemes[layer].cancelsErrors)
    return known.divergencePerRelativeError / PlanPredictor.otherText * error * factor
  }

  /// The same with the band that it should lie in.
  func predictedDivergence(_ layer: Int) -> PredictedDivergence? {
    guard let mean = divergence(layer) else { return nil }
    let tried = sensitivity[layer]?.schemes.first { $0.scheme == schemes[layer] }
    let sampling =
      tried.map { mean > 0 ? $0.standardError / mean : 0 }
      ?? currentReport(layer).map { Decibel.standardError(ofBand: $0.error.sqnrBand) } ?? 0
    return PredictedDivergence(mean: mean, spread: predictionSpread, sampling: sampling)
  }

  /// Takes a report on; a sampled one never replaces an exact one, nor an old one a current one.
  mutating func accept(_ report: LayerReport) {
    guard let index = indexOfLayer[report.layer] else { return }
    let isCurrent = report.scheme == schemes[index]
    if !isCurrent, report.scheme == rival(index) {
      // An exact report comes after the sampled one.
      rivalReports[index] = report
    }
    if let known = reports[index] {
      if known.scheme == schemes[index], !isCurrent { return }
      if known.scheme == report.scheme, known.standing == .exact, report.standing != .exact {
        return
      }
    }
    reports[index] = report
  }

  /// The report on the layer's present scheme, if there is one.
  func currentReport(_ layer: Int) -> LayerReport? {
    guard let report = reports[layer], report.scheme == schemes[layer] else { return nil }
    return report
  }

  /// The dense scheme that a pruned and quantized layer stands against, in the bytes that a bitmask would leave it.
  func rival(_ layer: Int) -> Scheme? { schemes[layer].denseRival(for: shapes[layer]) }

  /// The report on the layer's dense rival, if there is one.
  func rivalReport(_ layer: Int) -> LayerReport? {
    guard let report = rivalReports[layer], report.scheme == rival(layer) else { return nil }
    return report
  }

  func standing(_ layer: Int) -> FigureStanding {
    switch currentReport(layer)?.standing {
    case .exact: .exact
    case .sampled: .sampled
    case nil: schemes[layer].keepsLayer ? .original : .predicted
    }
  }

  /// Why the target cannot hold the layer, and the nearest scheme that it can; nil if it can.
  func refusal(_ layer: Int) -> ExportRefusal? { forecast?.refusals[layer] }

  /// Whether the layer's bytes are not those that will be stored for sure.
  func isSizeEstimate(_ layer: Int) -> Bool {
    forecast == nil ? standing(layer) == .predicted : refusal(layer) != nil
  }

  /// Bytes of the layer now: as the target stores it, or the engine's own count once it has one, else the predicted.
  func size(_ layer: Int) -> LayerSize {
    if let forecast { return forecast.layers[layer] }
    if let report = currentReport(layer), report.standing == .exact { return report.size }
    return sizes[layer]
  }
}

extension OpenModel {
  /// What is told of several layers together.
  struct Summary: Hashable, Sendable {
    var originalBytes = 0
    var bytes = 0
    var parameters = 0
    var isEstimate = false
    /// Whether the error figures are of some rows only, or of some of the layers.
    var isErrorEstimate = false
    /// In dB over the compressed layers that have a report; nil without one, or without error.
    var sqnr: Double?
    var compressedCount = 0

    /// Bits a weight, everything counted.
    var bitsPerWeight: Double {
      parameters > 0 ? Double(bytes) * 8 / Double(parameters) : 0
    }
  }

  /// Adds up the figures of some layers; the SQNR is that of all their weights together.
  func summary(of layers: some Sequence<Int>) -> Summary {
    var summary = Summary()
    var signal = 0.0
    var noise = 0.0
    for index in layers {
      let layer = self.layers[index]
      summary.originalBytes += layer.bytes
      summary.bytes += size(index).total
      summary.parameters += layer.parameters
      let standing = standing(index)
      summary.isEstimate = summary.isEstimate || isSizeEstimate(index)
      guard !schemes[index].keepsLayer else { continue }
      summary.compressedCount += 1
      summary.isErrorEstimate = summary.isErrorEstimate || standing != .exact
      guard let error = currentReport(index)?.error, let sqnr = error.sqnr else { continue }
      let energy = error.mse * Double(layer.parameters)
      noise += energy
      signal += energy * Decibel.ratio(sqnr)
    }
    if noise > 0 { summary.sqnr = Decibel.decibel(signal / noise) }
    return summary
  }

  /// The whole model: all bytes of the target's files, or without a target those of all tensors.
  var total: Summary {
    var summary = summary(of: layers.indices)
    summary.originalBytes = max(description.tensorBytes, summary.originalBytes)
    summary.bytes = plannedBytes
    summary.parameters = description.parameterCount
    return summary
  }

  /// Bytes under the plan, as budgets and snapshots count them: of the target's files, or without a target of all tensors.
  var plannedBytes: Int {
    forecast?.total
      ?? layers.indices.reduce(description.tensorBytes) {
        $0 - layers[$1].bytes + sizes[$1].total
      }
  }

  /// The same of another plan for this model.
  func bytes(under schemes: [Scheme]) -> Int {
    outline?.forecast(of: schemes).total ?? description.tensorBytes(under: schemes)
  }

  /// Bits a weight of a plan that takes so many bytes, everything counted.
  func bitsPerWeight(ofBytes bytes: Int) -> Double {
    8 * Double(bytes) / Double(max(description.parameterCount, 1))
  }
}
