import Allocation
import Checkpoints
import Compression
import Export
import Inference
import Tensors

/// What jobs share of the open checkpoint: its layers, the plan, what was computed, where events go.
struct Workspace {
  let shapes: [LayerShape]
  let now: () -> Duration
  let emit: (EngineEvent) -> Void
  let servers: ServerAccess
  /// Both models, for those who ask them something.
  var models: Models
  var plan: PlanProgress
  /// What everything that the sweep over the blocks compresses hangs on, under the current plan.
  private(set) var lineage: Lineage
  /// What layers read; nil before the model is calibrated.
  var calibration: Calibration?
  /// What the reference's head reads on the text evaluated last.
  var referenceStates: ReferenceStates?
  /// What each scheme of each layer costs; nil before it is measured or read.
  var sensitivity: Sensitivity?
  /// What the plan takes from the model before its rules apply.
  let structure: ModelStructure?
  /// The model as it was opened.
  private let whole: Checkpoint
  /// What the structure leaves of it.
  let checkpoint: Checkpoint
  let settings: EngineSettings
  private let numbers: [String: Int]
  private var cache: LayerCache
  /// What is known of exports for the targets that were asked about.
  var outlines: [ExportTarget: ExportOutline] = [:]
  private var profiles: [Int: RowProfile] = [:]

  /// A checkpoint of its own that shares the threads of another workspace.
  init(_ checkpoint: Checkpoint, sharing other: Workspace) {
    var other = other
    let models = Models(
      checkpoint, threads: other.settings.threads, pool: other.models.sharedPool())
    self.init(
      whole: checkpoint, checkpoint, nil, models, other.settings, other.servers, other.now,
      other.emit)
  }

  init(
    _ checkpoint: Checkpoint, settings: EngineSettings, servers: ServerAccess = ServerAccess(),
    now: @escaping () -> Duration, emit: @escaping (EngineEvent) -> Void
  ) {
    self.init(
      whole: checkpoint, checkpoint, nil, Models(checkpoint, threads: settings.threads), settings,
      servers, now, emit)
  }

  private init(
    whole: Checkpoint, _ checkpoint: Checkpoint, _ structure: ModelStructure?, _ models: Models,
    _ settings: EngineSettings, _ servers: ServerAccess, _ now: @escaping () -> Duration,
    _ emit: @escaping (EngineEvent) -> Void
  ) {
    self.whole = whole
    self.checkpoint = checkpoint
    self.structure = structure
    self.models = models
    self.settings = settings
    self.now = now
    self.emit = emit
    self.servers = servers
    shapes = checkpoint.description.layerShapes
    numbers = Dictionary(
      shapes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
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
    var pruned: Checkpoint?
    if let structure { pruned = try whole.pruned(by: structure) }
    return Workspace(
      whole: whole, pruned ?? whole, structure, models.pruned(to: pruned), settings, servers, now,
      emit)
  }

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

  /// Tokens of a window of text: those asked for, or what suits the model.
  func windowLength(_ asked: Int?) -> Int {
    StandardWindow.length(asked: asked, context: contextLength)
  }

  /// Tokens that so many windows of text hold, of which no more is encoded; nil for all there are.
  func tokens(ofWindows count: Int?, of asked: Int?) -> Int? {
    guard let count else { return nil }
    let (tokens, isTooMany) = count.multipliedReportingOverflow(by: windowLength(asked))
    return isTooMany ? nil : tokens
  }

  /// Place of a layer in the model; nil for names that are no layer.
  func number(of layer: String) -> Int? { numbers[layer] }

  /// Puts these layers before others, the first before all.
  mutating func look(at layers: [String]) { plan.inSight = layers.compactMap { numbers[$0] } }
}

/// The plan, and what of it is done.
extension Workspace {
  /// Asks for what a plan says; what is at hand already takes effect now.
  ///
  /// - Throws: ``PlanError`` when it does not fit the model; then nothing changed.
  mutating func setPlan(_ new: Plan) throws(PlanError) {
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
  mutating func ask(_ schemes: [Scheme]) {
    let (keys, lineage) = keys(for: schemes)
    self.lineage = lineage
    for key in keys where key != plan.keys[key.layer] { ask(key) }
  }

  private mutating func ask(_ key: LayerCache.Key) {
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
  mutating func accept(_ result: LayerResult, for key: LayerCache.Key) {
    cache.keep(result, for: key)
    emit(.report(result.report))
    guard isWanted(key) else { return }
    models.setResult(result, of: key.layer)
    plan.didCompress(key.layer)
    sayHowFar()
  }

  /// Takes on what sampling a layer gave.
  mutating func accept(_ report: LayerReport, for key: LayerCache.Key) {
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
  mutating func result(for key: LayerCache.Key) -> LayerResult? {
    runningResult(for: key) ?? cache.result(for: key)
  }

  /// Whether ``result(for:)`` has something.
  func hasResult(for key: LayerCache.Key) -> Bool {
    runningResult(for: key) != nil || cache.hasResult(for: key)
  }

  /// The sampled or exact report of earlier, if the layer runs or its report is still kept.
  mutating func report(for key: LayerCache.Key) -> LayerReport? {
    runningResult(for: key)?.report ?? cache.report(for: key)
  }

  private func runningResult(for key: LayerCache.Key) -> LayerResult? {
    models.result(of: key.layer).flatMap { $0.isOf(key) ? $0 : nil }
  }

  func profile(of number: Int) -> RowProfile? { profiles[number] }

  mutating func keep(_ profile: RowProfile, of number: Int) { profiles[number] = profile }

  /// Number of weights of a layer.
  func weights(of number: Int) -> Int { shapes[number].rows * shapes[number].columns }

  /// Bytes of a layer in the checkpoint.
  func originalBytes(of number: Int) -> Int { checkpoint.description.layers[number].bytes }

  /// A layer's weights in the checkpoint.
  func matrix(of number: Int) throws(JobFailure) -> LayerWeights {
    do {
      return try checkpoint.matrix(of: shapes[number].name)
    } catch {
      throw JobFailure(error)
    }
  }
}
