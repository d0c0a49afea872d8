import Allocation
import Checkpoints
import Compression
import Export
import Tensors
import Work

/// The engine without its thread: hears commands, and lets jobs work a bit at a time when told to.
///
/// Between two steps it can be told anything; a cancelled job is gone at once.
public struct EngineCore {
  private static let noModel = "no model is open; open one first"
  /// Said when jobs wait for the compressed model and its compression ended without an error.
  private static let notCompressed =
    "the compressed model is not what the plan says, because "
    + "compressing it was ended; ask again to go on"
  private static let notCalibrated =
    "the plan has methods that need a calibration, and no text was found for one; name a text: "
    + "`C` in the workbench, --calibration FILE on the command line"

  private let settings: EngineSettings
  private let servers: ServerAccess
  private let now: () -> Duration
  private let emit: (EngineEvent) -> Void
  private var workspace: Workspace?
  private var jobs = JobQueue()
  /// Why jobs end that wait for the compressed model, when nobody works on it.
  private var compressionObstacle = notCompressed
  /// Whether it was told to end.
  public private(set) var isShutDown = false

  /// An engine that does nothing by itself.
  ///
  /// - Parameters:
  ///   - settings: what it may use of the machine.
  ///   - servers: how servers are asked.
  ///   - now: time since any fixed moment; tests pass a clock of their own.
  ///   - onEvent: called with each event, in order.
  public init(
    settings: EngineSettings = EngineSettings(), servers: ServerAccess = ServerAccess(),
    now: (() -> Duration)? = nil, onEvent: @escaping (EngineEvent) -> Void
  ) {
    self.settings = settings
    self.servers = servers
    let start = ContinuousClock.now
    self.now = now ?? { ContinuousClock.now - start }
    emit = onEvent
  }

  /// Takes a command; what comes of it is seen in events, now or after some steps.
  public mutating func receive(_ command: EngineCommand) {
    switch command {
    case .open(let path): open(path)
    case .setPlan(let plan): setPlan(plan)
    case .look(let layers): workspace?.look(at: layers)
    case .preview(let id, let layer, let scheme):
      start(id, .preview, title: "preview \(layer)") { workspace throws(JobFailure) in
        try PreviewJob(id: id, layer: layer, scheme: scheme, workspace: workspace)
      }
      if jobs.contains(id), let workspace, let number = workspace.number(of: layer),
        workspace.lacksCalibration(for: scheme, of: number)
      {
        calibrateWithMoments()
      }
    case .generate(let id, let request):
      start(id, .generate, title: "answer") { AnswerJob(id: id, request: request, workspace: $0) }
      if request.sides.contains(.compressed), workspace?.runningObstacle == nil {
        compressIfNeeded()
      }
    case .readTokens(let id, let request):
      start(id, .tokens, title: "tokens") { workspace throws(JobFailure) in
        try ReadTokensJob(id: id, request: request, workspace: workspace)
      }
      compressIfNeeded()
    case .partByBlock(let id, let request):
      start(id, .part, title: "part") { workspace throws(JobFailure) in
        try PartByBlockJob(id: id, request: request, workspace: workspace)
      }
      compressIfNeeded()
    case .findServer(let id, let address):
      start(id, .connect, title: "connect") {
        ConnectJob(id: id, address: address, servers: $0.servers)
      }
    case .evaluate(let id, let request):
      startBesidePlan(id, .evaluate, title: "evaluate") { workspace throws(JobFailure) in
        let aside = request.plan.map(AsidePlan.init)
        return (
          EvaluateJob(id: id, request: request), try aside?.needsCalibration(in: workspace) ?? false
        )
      }
      if request.compares || request.referencePath != nil { compressIfNeeded() }
    case .writeLogits(let id, let request):
      start(id, .logits, title: "logits") { workspace throws(JobFailure) in
        try LogitsJob(id: id, request: request, workspace: workspace)
      }
      if request.side == .compressed { compressIfNeeded() }
    case .calibrate(let id, let request):
      start(id, .calibrate, title: "calibrate") {
        _ in CalibrateJob(id: id, request: request)
      }
    case .measureSensitivity(let id, let request):
      start(id, .sensitivity, title: "sensitivity") { _ throws(JobFailure) in
        try SensitivityJob(id: id, request: request)
      }
    case .refineSensitivity(let id, let request):
      startBesidePlan(id, .refine, title: "refine") { workspace throws(JobFailure) in
        let job = try RefineJob(id: id, request: request, workspace: workspace)
        return (job, job.needsCalibration(in: workspace))
      }
    case .chooseStructure(let id, let request):
      start(id, .prune, title: "prune") { workspace throws(JobFailure) in
        try StructureJob(id: id, request: request, workspace: workspace)
      }
    case .openSensitivity(let path): openSensitivity(path)
    case .saveSensitivity(let path): saveSensitivity(path)
    case .allocate(let target, let settings):
      do throws(JobFailure) {
        emit(.allocated(try opened().allocation(for: target, settings)))
      } catch {
        emit(.allocationRefused(target, reason: error.sentence))
      }
    case .drawFrontier(let settings): drawFrontier(settings)
    case .compareLayers(let id, let request):
      start(id, .compare, title: "compare layers") { workspace throws(JobFailure) in
        try CompareLayersJob(id: id, request: request, workspace: workspace)
      }
    case .readLayout(let id, let request):
      start(id, .layout, title: "layout") { workspace throws(JobFailure) in
        try LayoutJob(id: id, request: request, workspace: workspace)
      }
    case .outlineExport(let target): outlineExport(for: target)
    case .previewExport(let request):
      emit(
        .exportPreview(
          workspace?.exportPreview(request)
            ?? ExportPreview(request: request, files: [], obstacle: Self.noModel)))
    case .packJob(let id, let request):
      start(id, .pack, title: "pack") { _ throws(JobFailure) in
        try PackJob(id: id, request: request)
      }
    case .export(let id, let request): export(id, request)
    case .cancel(let id): cancel(id)
    case .shutDown:
      cancelAll()
      isShutDown = true
    }
  }

  /// Does the most urgent bit of work, a few tens of milliseconds of it.
  ///
  /// - Returns: false when there is nothing to do before the next command.
  public mutating func step() -> Bool {
    MappedFaults.guardAgain()
    guard let turn = jobs.step() else {
      for id in jobs.stuckIDs { end(id, .failed(compressionObstacle)) }
      return false
    }
    switch turn.outcome {
    case nil: break
    case .success:
      end(turn.job, .finished)
      // What was learned may make compressed layers stale.
      compressIfNeeded()
      if let workspace, workspace.awaitsMoments, workspace.calibration != nil { calibrate() }
      predict()
    case .failure(let failure):
      if turn.job == .compression { compressionObstacle = failure.sentence }
      end(turn.job, .failed(failure.sentence))
    }
    return true
  }

  private mutating func open(_ path: String) {
    do {
      let checkpoint = try Checkpoint.open(path)
      cancelAll()
      workspace = Workspace(
        checkpoint, settings: settings, servers: servers, now: now, tell: emit)
      emit(.opened(checkpoint.description))
    } catch {
      emit(.openFailed(path: path, reason: error.description))
    }
  }

  private mutating func setPlan(_ plan: Plan) {
    guard let workspace else {
      emit(.planRefused(reason: Self.noModel))
      return
    }
    do {
      if plan.structure != workspace.structure {
        let pruned = try workspace.pruned(by: plan.structure)
        // A plan that does not fit the pruned model is refused before anything changes.
        _ = try pruned.schemes(of: plan)
        cancelAll()
        self.workspace = pruned
        emit(.restructured(pruned.description))
      }
      try self.workspace?.setPlan(plan)
      compressIfNeeded()
      predict()
    } catch {
      emit(.planRefused(reason: "\(error)"))
    }
  }

  /// Starts what makes the running model what the plan says, unless it is that, or on its way.
  private mutating func compressIfNeeded() {
    guard let workspace, !settings.streamsExports || jobs.isExporting else { return }
    if workspace.plan.isDone {
      if jobs.contains(.compression) { end(.compression, .finished) }
    } else if !jobs.contains(.compression), !settings.streamsExports || workspace.plan.needsSweep,
      // What memory cannot hold was said once; only samples are still to be had.
      compressionObstacle == Self.notCompressed || workspace.memoryObstacle == nil
        || workspace.plan.nextSample != nil
    {
      compressionObstacle = Self.notCompressed
      emit(.jobStarted(.compression, .compress, title: "compress"))
      jobs.add(CompressJob(workspace: workspace), in: workspace)
    }
    if workspace.plan.needsCalibration { calibrate() }
  }

  /// Calibrates for a job beside the plan, with all that a calibration may leave out.
  private mutating func calibrateWithMoments() {
    workspace?.awaitsMoments = true
    calibrate()
    // Without a text nobody goes on waiting.
    if !jobs.isCalibrating { workspace?.awaitsMoments = false }
  }

  /// Calibrates on the text at hand, unless that is on its way.
  private mutating func calibrate() {
    guard !jobs.isCalibrating, let workspace else { return }
    if let known = workspace.calibration {
      start(.calibration, .calibrate, title: "calibrate on \(known.textPath)") {
        _ in MomentsJob(id: .calibration)
      }
      return
    }
    guard let path = workspace.defaultText else {
      if jobs.contains(.compression) { end(.compression, .failed(Self.notCalibrated)) }
      return
    }
    let request = CalibrationRequest(textPath: path, collectsWhenNeeded: true)
    start(.calibration, .calibrate, title: "calibrate on \(path)") {
      _ in CalibrateJob(id: .calibration, request: request)
    }
  }

  private mutating func export(_ id: JobID, _ request: ExportRequest) {
    let streams = settings.streamsExports
    guard request.format.holdsTensors else {
      start(id, .export, title: "export") { _ in TextExportJob(id: id, request: request) }
      if request.format == .report { compressIfNeeded() }
      if request.writesMatrix, let known = workspace?.calibration, known.moments == nil {
        calibrateWithMoments()
      }
      return
    }
    let isCalibrating = jobs.isCalibrating
    start(id, .export, title: "export") { workspace throws(JobFailure) in
      if workspace.plan.needsCalibration, workspace.calibration == nil,
        workspace.defaultText == nil,
        !isCalibrating
      {
        throw JobFailure(sentence: Self.notCalibrated)
      }
      return ExportJob(
        id: id, request: request,
        streams: (streams || workspace.memoryObstacle != nil) && !workspace.plan.needsSweep)
    }
    compressIfNeeded()
  }

  /// What the current plan should cost, once sensitivity is known.
  private mutating func predict() {
    guard workspace?.sensitivity != nil else { return }
    emit(.predicted(workspace?.predictedDivergence()))
  }

  private func opened() throws(JobFailure) -> Workspace {
    guard let workspace else { throw JobFailure(sentence: Self.noModel) }
    return workspace
  }

  private mutating func openSensitivity(_ path: String) {
    do {
      let sensitivity = try Sensitivity(path: path)
      try opened().check(sensitivity)
      workspace?.sensitivity = sensitivity
      var summary = SensitivitySummary(sensitivity, path: path)
      if try opened().description.match(of: sensitivity.origin.fingerprint) == .sameShapes {
        summary.note =
          "\(path) was written by an earlier version, which told models apart by their tensors' shapes and not by "
          + "what they hold; measure again unless it is of this very model"
      }
      emit(.sensitivity(nil, summary))
      predict()
    } catch let failure as JobFailure {
      emit(.sensitivityRefused(path: path, reason: failure.sentence))
    } catch {
      emit(.sensitivityRefused(path: path, reason: "\(error)"))
    }
  }

  private func saveSensitivity(_ path: String) {
    do throws(JobFailure) {
      try opened().saveSensitivity(to: path)
      emit(.sensitivitySaved(path: path))
    } catch {
      emit(.sensitivityRefused(path: path, reason: error.sentence))
    }
  }

  private mutating func outlineExport(for target: ExportTarget) {
    do {
      guard let outline = try workspace?.outline(for: target) else {
        throw ExportError.unsupported(reason: Self.noModel, hint: nil)
      }
      emit(.exportOutline(outline))
    } catch {
      emit(.exportOutlineRefused(target, reason: "\(error)"))
    }
  }

  private func drawFrontier(_ settings: AllocationSettings) {
    do throws(JobFailure) {
      emit(.frontier(try opened().frontier(settings)))
    } catch {
      emit(.sensitivityRefused(path: "", reason: error.sentence))
    }
  }

  private mutating func start(
    _ id: JobID, _ kind: JobKind, title: String,
    _ make: (Workspace) throws(JobFailure) -> any Job
  ) {
    cancel(id)
    emit(.jobStarted(id, kind, title: title))
    do throws(JobFailure) {
      guard let workspace else { throw JobFailure(sentence: Self.noModel) }
      jobs.add(try make(workspace), in: workspace)
    } catch {
      emit(.jobEnded(id, .failed(error.sentence)))
    }
  }

  /// The same for a job that compresses what the plan need not ask for, and so may need a calibration for itself.
  private mutating func startBesidePlan(
    _ id: JobID, _ kind: JobKind, title: String,
    _ make: (Workspace) throws(JobFailure) -> (job: any Job, needsCalibration: Bool)
  ) {
    var needsCalibration = false
    let isCalibrating = jobs.isCalibrating
    start(id, kind, title: title) { workspace throws(JobFailure) in
      let made = try make(workspace)
      needsCalibration = made.needsCalibration
      if needsCalibration, workspace.calibration == nil, workspace.defaultText == nil,
        !isCalibrating
      {
        throw JobFailure(sentence: Self.notCalibrated)
      }
      return made.job
    }
    if needsCalibration { calibrateWithMoments() }
  }

  private mutating func cancel(_ id: JobID) {
    let wasCalibrating = jobs.isCalibrating
    if jobs.contains(id) { end(id, .cancelled) }
    if wasCalibrating, !jobs.isCalibrating { workspace?.awaitsMoments = false }
  }

  private mutating func cancelAll() {
    for id in jobs.ids { end(id, .cancelled) }
  }

  private mutating func end(_ id: JobID, _ outcome: JobOutcome) {
    jobs.remove(id)
    emit(.jobEnded(id, outcome))
  }
}
