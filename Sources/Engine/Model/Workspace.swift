import Checkpoints
import Compression
import Inference
import Tensors

/// What jobs share of the open checkpoint: its layers, the plan, what was computed, where events go.
struct Workspace {
  let shapes: [LayerShape]
  let now: () -> Duration
  let emit: (EngineEvent) -> Void
  /// Both models, for those who ask them something.
  var models: Models
  private(set) var plan: PlanProgress
  /// What the plan takes from the model before its rules apply.
  let structure: ModelStructure?
  /// The model as it was opened.
  private let whole: Checkpoint
  /// What the structure leaves of it.
  private let checkpoint: Checkpoint
  private let settings: EngineSettings
  private let numbers: [String: Int]
  private var cache: LayerCache
  private var profiles: [Int: RowProfile] = [:]

  init(
    _ checkpoint: Checkpoint, settings: EngineSettings, now: @escaping () -> Duration,
    emit: @escaping (EngineEvent) -> Void
  ) {
    self.init(
      whole: checkpoint, checkpoint, nil, Models(checkpoint, threads: settings.threads), settings,
      now, emit)
  }

  private init(
    whole: Checkpoint, _ checkpoint: Checkpoint, _ structure: ModelStructure?, _ models: Models,
    _ settings: EngineSettings, _ now: @escaping () -> Duration,
    _ emit: @escaping (EngineEvent) -> Void
  ) {
    self.whole = whole
    self.checkpoint = checkpoint
    self.structure = structure
    self.models = models
    self.settings = settings
    self.now = now
    self.emit = emit
    shapes = checkpoint.description.layerShapes
    numbers = Dictionary(
      shapes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    plan = PlanProgress(layers: shapes.count)
    cache = LayerCache(limit: settings.cacheBytes)
  }

  /// The same model pruned in another way, nothing of it compressed yet.
  ///
  /// - Throws: ``InferenceError`` when the model cannot have that structure.
  func pruned(by structure: ModelStructure?) throws(InferenceError) -> Workspace {
    var pruned: Checkpoint?
    if let structure { pruned = try whole.pruned(by: structure) }
    return Workspace(
      whole: whole, pruned ?? whole, structure, models.pruned(to: pruned), settings, now, emit)
  }

  /// What the layers are those of: the model as it was opened, or what the structure leaves of it.
  var description: ModelDescription { checkpoint.description }

  /// Longest context in tokens.
  var contextLength: Int { checkpoint.description.contextLength }

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
    let schemes = try new.schemes(for: shapes)
    for (number, shape) in shapes.enumerated() {
      let scheme = schemes[shape.name] ?? .keep
      if scheme != plan.schemes[number] { ask(scheme, of: number) }
    }
    sayHowFar()
  }

  private mutating func ask(_ scheme: Scheme, of number: Int) {
    let key = LayerCache.Key(layer: number, scheme: scheme)
    let running = models.result(of: number).flatMap { $0.report.scheme == scheme ? $0 : nil }
    let result = running ?? cache.result(for: key)
    let report = result?.report ?? cache.report(for: key)
    plan.ask(
      scheme, of: number, isSampled: report != nil,
      isCompressed: result != nil || scheme.keepsLayer)
    if result != nil || scheme.keepsLayer { models.setResult(result, of: number) }
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
    if plan.schemes[key.layer] == key.scheme { plan.didSample(key.layer) }
  }

  /// Whether the plan asks for this, and does not have it yet.
  func isWanted(_ key: LayerCache.Key) -> Bool {
    plan.schemes[key.layer] == key.scheme && plan.uncompressed.contains(key.layer)
  }

  /// Weights of the layers that are still to be compressed.
  var weightsLeft: Double { plan.uncompressed.reduce(0) { $0 + Double(weights(of: $1)) } }

  private func sayHowFar() {
    let total = plan.compressedCount
    emit(.compressed(layers: total - plan.uncompressed.count, of: total))
  }
}

/// What was computed of layers, and what computing more of them takes.
extension Workspace {
  func key(ofPlanFor number: Int) -> LayerCache.Key {
    LayerCache.Key(layer: number, scheme: plan.schemes[number])
  }

  /// What compressing gave earlier, if it is still kept.
  mutating func result(for key: LayerCache.Key) -> LayerResult? { cache.result(for: key) }

  /// The sampled or exact report of earlier, if it is still kept.
  mutating func report(for key: LayerCache.Key) -> LayerReport? { cache.report(for: key) }

  func profile(of number: Int) -> RowProfile? { profiles[number] }

  mutating func keep(_ profile: RowProfile, of number: Int) { profiles[number] = profile }

  /// Number of weights of a layer.
  func weights(of number: Int) -> Int { shapes[number].rows * shapes[number].columns }

  /// Bytes of a layer in the checkpoint.
  func originalBytes(of number: Int) -> Int { checkpoint.description.layers[number].bytes }

  /// A layer's weights in the checkpoint.
  func matrix(of number: Int) throws(JobFailure) -> StoredMatrix {
    do {
      return try checkpoint.matrix(of: shapes[number].name)
    } catch {
      throw JobFailure(error)
    }
  }
}
