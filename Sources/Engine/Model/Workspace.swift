import Allocation
import Checkpoints
import Compression
import Export
import Inference
import Procedures
import Tensors
import Work

/// What jobs share of the open checkpoint: its layers, the plan, what was computed, where events go.
final class Workspace {
  /// The layers of what the structure leaves of the model, and what is known of their weights.
  var layers: ModelLayers
  let now: () -> Duration
  let servers: ServerAccess
  /// Both models, for those who ask them something.
  var models: Models
  var plan: PlanProgress
  /// What everything that the sweep over the blocks compresses hangs on, under the current plan.
  private(set) var lineage: Lineage
  /// What layers read; nil before the model is calibrated.
  var calibration: Calibration?
  /// Whether a job beside the plan waits for second moments, which a calibration leaves out that nobody needs them of.
  var awaitsMoments = false
  /// What the reference's head reads on the text evaluated last.
  var referenceStates: ReferenceStates?
  /// Small inputs that count as zero in the model that was asked for last.
  var inputPruning: InputPruning?
  /// What each scheme of each layer costs; nil before it is measured or read.
  var sensitivity: Sensitivity?
  /// The quantized file of this model that was read last.
  var layout: StoredLayout?
  /// What the plan takes from the model before its rules apply.
  let structure: ModelStructure?
  /// The model as it was opened.
  private let whole: Checkpoint
  let settings: EngineSettings
  private var cache: LayerCache
  var speeds = KnownSpeeds()
  /// What is known of exports for the targets that were asked about.
  var outlines: [ExportTarget: ExportOutline] = [:]
  /// Bytes of every layer in a target's files, by the scheme that all have, as far as somebody asked.
  var layerSizes: [ExportTarget: [Scheme: [String: Int]]] = [:]
  private let tell: (EngineEvent) -> Void
  /// The job that works now; nil between turns.
  var turn: Turn?

  /// A checkpoint of its own that shares the threads of another workspace.
  convenience init(_ checkpoint: Checkpoint, sharing other: Workspace) {
    let models = Models(
      checkpoint, threads: other.settings.threads, pool: other.models.sharedPool())
    self.init(
      whole: checkpoint, checkpoint, nil, models, other.settings, other.servers, other.now,
      other.tell)
  }

  convenience init(
    _ checkpoint: Checkpoint, settings: EngineSettings, servers: ServerAccess = ServerAccess(),
    now: @escaping () -> Duration, tell: @escaping (EngineEvent) -> Void
  ) {
    self.init(
      whole: checkpoint, checkpoint, nil, Models(checkpoint, threads: settings.threads), settings,
      servers, now, tell)
  }

  private init(
    whole: Checkpoint, _ checkpoint: Checkpoint, _ structure: ModelStructure?, _ models: Models,
    _ settings: EngineSettings, _ servers: ServerAccess, _ now: @escaping () -> Duration,
    _ tell: @escaping (EngineEvent) -> Void
  ) {
    self.whole = whole
    layers = ModelLayers(checkpoint)
    self.structure = structure
    self.models = models
    self.settings = settings
    self.now = now
    self.tell = tell
    self.servers = servers
    let shapes = layers.shapes
    plan = PlanProgress(layers: shapes.count)
    lineage = Lineage(
      schemes: shapes.map { _ in .keep }, swept: shapes.map { _ in false }, calibration: 0,
      of: checkpoint.description)
    cache = LayerCache(limit: settings.cacheBytes)
  }

  /// The same model pruned in another way, nothing of it compressed yet.
  ///
  /// - Throws: ``InferenceError`` when the model cannot have that structure.
  func pruned(by structure: ModelStructure?) throws(InferenceError) -> Workspace {
    try twin(prunedBy: structure, settings: settings, telling: tell)
  }

  private func twin(
    prunedBy structure: ModelStructure?, settings: EngineSettings,
    telling tell: @escaping (EngineEvent) -> Void
  ) throws(InferenceError) -> Workspace {
    var pruned: Checkpoint?
    if let structure { pruned = try whole.pruned(by: structure) }
    return Workspace(
      whole: whole, pruned ?? whole, structure, models.pruned(to: pruned), settings, servers, now,
      tell)
  }

  /// The same model for a plan that is tried beside the current one, with what was computed of layers so far.
  ///
  /// - Parameters:
  ///   - structure: what that plan takes from the model.
  ///   - tell: hears what comes of it in place of everybody else.
  /// - Returns: a workspace with the same calibration, in which everything is kept as the checkpoint has it.
  /// - Throws: ``InferenceError`` when the model cannot have that structure.
  func aside(
    prunedBy structure: ModelStructure?, telling tell: @escaping (EngineEvent) -> Void
  ) throws(InferenceError) -> Workspace {
    var settings = settings
    let running = shapes.indices.lazy.compactMap { self.models.result(of: $0) }
    if let limit = settings.memoryBytes {
      settings.memoryBytes = running.reduce(limit) { $0 - $1.weights.byteCount }
    }
    let aside = try twin(prunedBy: structure, settings: settings, telling: tell)
    guard structure == self.structure else { return aside }
    aside.cache = cache
    for number in shapes.indices {
      guard let result = models.result(of: number) else { continue }
      aside.cache.keep(result, for: plan.keys[number])
    }
    if let calibration { aside.accept(calibration) }
    return aside
  }

  /// Tells an event; nothing that was made of zeros in place of a file's bytes is told to anybody.
  func emit(_ event: EngineEvent) {
    if turn?.damage == nil { tell(event) }
  }

  /// What the structure leaves of the model.
  var checkpoint: Checkpoint { layers.checkpoint }

  /// Of every layer, in the model's order.
  var shapes: [LayerShape] { layers.shapes }

  /// What the layers are those of: the model as it was opened, or what the structure leaves of it.
  var description: ModelDescription { checkpoint.description }

  /// The model as it was opened.
  var wholeDescription: ModelDescription { whole.description }

  /// Longest context in tokens.
  var contextLength: Int { checkpoint.description.contextLength }

  /// Why the model does not run, as a sentence; nil if it does.
  var runningObstacle: String? {
    description.abilities.runningObstacle.map {
      JobFailure(InferenceError.doesNotRun(reason: $0)).sentence
    }
  }

  /// Refuses what only a model that runs can do.
  ///
  /// - Throws: ``JobFailure`` that says why it does not run.
  func checkRuns() throws(JobFailure) {
    if let runningObstacle { throw JobFailure(sentence: runningObstacle) }
  }

  /// Place of a layer in the model; nil for names that are no layer.
  func number(of layer: String) -> Int? { layers.number(of: layer) }

  /// Puts these layers before others, the first before all.
  func look(at layers: [String]) { plan.inSight = layers.compactMap(number(of:)) }
}

/// The plan, and what of it is done.
extension Workspace {
  /// Asks for what a plan says; what is at hand already takes effect now.
  ///
  /// - Throws: ``PlanError`` when it does not fit the model; then nothing changed.
  func setPlan(_ new: Plan) throws(PlanError) {
    ask(try schemes(of: new))
    sayHowFar()
  }

  /// The scheme of every layer in a plan, in the model's order.
  ///
  /// - Throws: ``PlanError`` when it does not fit the model.
  func schemes(of plan: Plan) throws(PlanError) -> [Scheme] {
    let schemes = try plan.schemes(for: shapes)
    let ordered = shapes.map { schemes[$0.name] ?? .keep }
    try ScaleMapping.check(ordered, of: description)
    return ordered
  }

  /// Asks for a scheme of every layer, and anew for layers whose results hang on what changed elsewhere.
  func ask(_ schemes: [Scheme]) {
    let (keys, lineage) = keys(for: schemes)
    self.lineage = lineage
    for key in keys where key != plan.keys[key.layer] { ask(key) }
  }

  private func ask(_ key: LayerCache.Key) {
    let scheme = key.scheme
    let result = result(for: key)
    let report = report(for: key)
    plan.ask(
      key, need: need(of: scheme, for: key.layer), isSampled: report != nil,
      isCompressed: result != nil || scheme.keepsLayer)
    if result != nil || scheme.keepsLayer { models.setResult(result, of: key.layer) }
    if let report { emit(.report(report)) }
  }

  /// Takes on what compressing a layer gave: for later, and, if the plan asks for it, into the
  /// running model.
  func accept(_ result: LayerResult, for key: LayerCache.Key) {
    cache.keep(result, for: key)
    emit(.report(result.report))
    guard isWanted(key) else { return }
    models.setResult(result, of: key.layer)
    plan.didCompress(key.layer)
    sayHowFar()
  }

  /// Takes on what sampling a layer gave.
  func accept(_ report: LayerReport, for key: LayerCache.Key) {
    cache.keep(report, for: key)
    emit(.report(report))
    if plan.keys[key.layer] == key { plan.didSample(key.layer) }
  }

  /// Whether the plan asks for this, and does not have it yet.
  func isWanted(_ key: LayerCache.Key) -> Bool {
    plan.keys[key.layer] == key && plan.uncompressed.contains(key.layer)
  }

  /// Weights of the layers that are still to be compressed.
  var weightsLeft: Double { plan.uncompressed.reduce(0) { $0 + Double(weights(of: $1)) } }

  func sayHowFar() {
    let total = plan.compressedCount
    emit(.compressed(layers: total - plan.uncompressed.count, of: total))
  }
}

/// What was computed of layers, and what computing more of them takes.
extension Workspace {
  func key(ofPlanFor number: Int) -> LayerCache.Key { plan.keys[number] }

  /// The key of a scheme that need not be the plan's.
  func key(of scheme: Scheme, for number: Int) -> LayerCache.Key {
    var schemes = plan.keys.map(\.scheme)
    schemes[number] = scheme
    return keys(for: schemes).keys[number]
  }

  /// What compressing gave, if it runs or is still kept.
  func result(for key: LayerCache.Key) -> LayerResult? {
    runningResult(for: key) ?? cache.result(for: key)
  }

  /// Whether ``result(for:)`` has something.
  func hasResult(for key: LayerCache.Key) -> Bool {
    runningResult(for: key) != nil || cache.hasResult(for: key)
  }

  /// The sampled or exact report of earlier, if the layer runs or its report is still kept.
  func report(for key: LayerCache.Key) -> LayerReport? {
    runningResult(for: key)?.report ?? cache.report(for: key)
  }

  private func runningResult(for key: LayerCache.Key) -> LayerResult? {
    models.result(of: key.layer).flatMap { $0.isOf(key) ? $0 : nil }
  }

  /// Number of weights of a layer.
  func weights(of number: Int) -> Int { layers.weights(of: number) }

  /// Bytes of a layer in the checkpoint.
  func originalBytes(of number: Int) -> Int { layers.originalBytes(of: number) }

  /// A layer's weights in the checkpoint.
  func matrix(of number: Int) throws(JobFailure) -> LayerWeights { try layers.matrix(of: number) }

  /// What must be known of a layer's inputs for a scheme, and whether that takes the sweep over the blocks.
  func need(of scheme: Scheme, for number: Int) -> CalibrationNeed {
    layers.need(of: scheme, for: number)
  }
}
