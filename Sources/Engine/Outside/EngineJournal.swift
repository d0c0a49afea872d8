import Checkpoints
import Compression

/// What an engine was told and has said, as far as it still holds.
struct EngineJournal: Sendable {
  private(set) var record: EngineRecord?
  /// The last reports on each layer, of two schemes at most: the plan's and a preview's.
  private var reports: [String: [LayerReport]] = [:]
  private var compressed: EngineEvent?
  private var predicted: EngineEvent?
  private var calibrated: CalibrationSummary?
  private var sensitivity: (job: JobID?, summary: SensitivitySummary)?
  /// The paths that are being opened, the first one first.
  private var opening: [String] = []
  /// The plan before the last one, for when that is refused.
  private var planBefore: Plan?
  private var commands: [JobID: (command: EngineCommand, plan: Plan?)] = [:]

  /// Jobs that have ended and are still told of.
  private static let endedLimit = 50

  /// Whether somebody's work is under way.
  var hasWork: Bool { record?.jobs.contains { $0.isWork && $0.outcome == nil } == true }

  /// Jobs that have ended while nobody was there.
  var unseen: [JobRecord] {
    record?.jobs.filter { $0.isWork && $0.outcome != nil && !$0.wasSeen } ?? []
  }

  /// Whether sensitivity was measured of the whole model while nobody was there to save it.
  var hasUnseenSensitivity: Bool {
    record?.plan?.structure == nil
      && unseen.contains { [.sensitivity, .refine].contains($0.kind) } && sensitivity != nil
  }

  /// What tells the rest, after the record.
  var events: [EngineEvent] {
    var events = reports.keys.sorted().flatMap { reports[$0] ?? [] }.map(EngineEvent.report)
    if let calibrated { events.append(.calibrated(.calibration, calibrated)) }
    if let sensitivity {
      let isUnseen = unseen.contains { $0.id == sensitivity.job }
      events.append(.sensitivity(isUnseen ? sensitivity.job : nil, sensitivity.summary))
    }
    return events + [compressed, predicted].compactMap(\.self)
  }

  mutating func note(_ command: EngineCommand, path: String? = nil) {
    switch command {
    case .open(let asked): opening.append(path ?? asked)
    case .setPlan(let plan):
      planBefore = record?.plan
      record?.plan = plan
    default:
      if let job = command.job { commands[job] = (command, record?.plan) }
    }
  }

  /// Takes an event on; `isSeen` says whether somebody is there who hears it.
  mutating func note(_ event: EngineEvent, isSeen: Bool) {
    switch event {
    case .opened(let model):
      let path = opening.isEmpty ? model.path : opening.removeFirst()
      // What was asked for after the checkpoint may have been heard before it was open.
      let (opening, commands) = (opening, commands)
      self = EngineJournal()
      (self.opening, self.commands) = (opening, commands)
      record = EngineRecord(path: path, model: model)
    case .openFailed: if !opening.isEmpty { opening.removeFirst() }
    case .restructured(let model):
      let isPruned = record?.plan?.structure != nil
      record?.restructured = isPruned ? model : nil
      (reports, calibrated, sensitivity, predicted) = ([:], nil, nil, nil)
    case .planRefused: record?.plan = planBefore
    case .report(let report): note(report)
    case .compressed: compressed = event
    case .predicted: predicted = event
    case .jobStarted(let id, let kind, let title): start(id, kind, title)
    case .jobProgress(let id, let progress): change(id) { $0.progress = progress }
    case .jobEnded(let id, let outcome):
      commands[id] = nil
      change(id) { ($0.outcome, $0.wasSeen) = (outcome, isSeen) }
    case .calibrated(let id, let summary):
      calibrated = summary
      keep(event, of: id)
    case .sensitivity(let id, let summary): sensitivity = (id, summary)
    case .sensitivityRefined(let id, let summary): sensitivity = (id, summary)
    // What is measured in full takes its place.
    case .sensitivityDrafted: break
    default: if let job = event.job { keep(event, of: job) }
    }
  }

  /// Notes that a workbench has been told of everything.
  mutating func noteSeen() {
    for place in record?.jobs.indices ?? 0..<0 where record?.jobs[place].outcome != nil {
      record?.jobs[place].wasSeen = true
    }
  }

  private mutating func note(_ report: LayerReport) {
    var known = reports[report.layer] ?? []
    known.removeAll { $0.scheme == report.scheme }
    reports[report.layer] = known.suffix(1) + [report]
  }

  private mutating func start(_ id: JobID, _ kind: JobKind, _ title: String) {
    let asked = commands[id]
    // Only the last answer is still on anybody's screen.
    record?.jobs.removeAll {
      $0.id == id || kind == .generate && $0.kind == .generate || !$0.isWork && $0.outcome != nil
    }
    record?.jobs.append(
      JobRecord(id: id, kind: kind, title: title, command: asked?.command, plan: asked?.plan))
    let ended = record?.jobs.filter { $0.outcome != nil }.map(\.id) ?? []
    let dropped = Set(ended.dropLast(Self.endedLimit))
    if !dropped.isEmpty { record?.jobs.removeAll { dropped.contains($0.id) } }
  }

  /// Keeps what a job said, in place of what it is about to replace.
  private mutating func keep(_ event: EngineEvent, of id: JobID) {
    change(id) { job in
      switch event {
      case .evaluating, .evaluated:
        job.events.removeAll { if case .evaluating = $0 { true } else { false } }
      case .promptRead(_, let side, _, _):
        job.events.removeAll { if case .promptRead(_, side, _, _) = $0 { true } else { false } }
      default: break
      }
      job.events.append(event)
    }
  }

  private mutating func change(_ id: JobID, _ change: (inout JobRecord) -> Void) {
    guard var jobs = record?.jobs, let place = jobs.lastIndex(where: { $0.id == id }) else {
      return
    }
    // Taken out of the record, so that the array has one owner and nothing is copied.
    record?.jobs = []
    change(&jobs[place])
    record?.jobs = jobs
  }
}

extension EngineCommand {
  /// The job that it begins; nil if it begins none.
  var job: JobID? {
    switch self {
    case .preview(let id, _, _), .generate(let id, _), .findServer(let id, _),
      .evaluate(let id, _), .writeLogits(let id, _), .calibrate(let id, _),
      .measureSensitivity(let id, _), .refineSensitivity(let id, _), .chooseStructure(let id, _),
      .compareLayers(let id, _), .export(let id, _), .readTokens(let id, _),
      .partByBlock(let id, _), .readLayout(let id, _), .packJob(let id, _):
      id
    case .open, .setPlan, .look, .openSensitivity, .saveSensitivity, .allocate, .drawFrontier,
      .outlineExport, .previewExport, .cancel, .shutDown:
      nil
    }
  }
}

extension EngineEvent {
  /// The job that it tells of, beside its beginning, progress and end; nil for none.
  var job: JobID? {
    switch self {
    case .promptSentRaw(let id), .remarked(let id, _), .promptRead(let id, _, _, _),
      .token(let id, _), .answerEnded(let id, _, _), .answerFailed(let id, _, _),
      .evaluating(let id, _), .serverFound(let id, _), .evaluated(let id, _),
      .logitsWritten(let id, _), .calibrated(let id, _), .sensitivityRefined(let id, _),
      .structureChosen(let id, _), .layersCompared(let id, _), .exported(let id, _),
      .tokensRead(let id, _), .blockParted(let id, _), .sensitivityDrafted(let id, _),
      .layoutRead(let id, _), .jobPacked(let id, _):
      id
    case .sensitivity(let id, _): id
    case .opened, .openFailed, .restructured, .planRefused, .report, .compressed, .jobStarted,
      .jobProgress, .jobEnded, .sensitivitySaved, .sensitivityRefused, .allocated,
      .allocationRefused, .frontier, .predicted, .exportOutline, .exportOutlineRefused,
      .exportPreview:
      nil
    }
  }
}
