import Checkpoints
import Compression
import Inference
import Tensors

/// Runs a text through the model once, and keeps what its layers read.
struct CalibrateJob: Job {
  /// What a step works on, in this order.
  private enum Phase {
    case reading(TextWork)
    case observing(MomentsWork)
  }

  let id: JobID
  private let request: CalibrationRequest
  private var phase: Phase
  private var meter: ProgressMeter

  init(id: JobID, request: CalibrationRequest, workspace: Workspace) {
    self.id = id
    self.request = request
    phase = .reading(TextWork(path: request.textPath, limit: request.tokenLimit, for: id))
    meter = ProgressMeter(workLeft: 1, now: workspace.now())
  }

  func urgency(in workspace: Workspace) -> Urgency? { .background }

  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> JobState {
    switch phase {
    case .reading(var text):
      if let tokens = try text.step(in: &workspace) {
        let windows = try TextWork.windows(
          of: tokens, from: request.textPath, length: request.window,
          tokenLimit: request.tokenLimit, in: &workspace)
        phase = .observing(try MomentsWork(windows, in: &workspace))
      } else {
        phase = .reading(text)
      }
      return .unfinished
    case .observing(var work):
      // Held in one place only while it works, so that nothing of it is copied.
      phase = .reading(TextWork(path: request.textPath, limit: 0, for: id))
      let goesOn = try work.step(in: &workspace)
      sayHowFar(work, in: workspace)
      phase = .observing(work)
      if goesOn { return .unfinished }
      try finish(work, in: &workspace)
      return .finished
    }
  }

  private func finish(
    _ work: MomentsWork, in workspace: inout Workspace
  ) throws(JobFailure) {
    let calibration = workspace.makeCalibration(
      textPath: request.textPath, windows: work.windows, moments: work.moments)
    if let path = request.imatrixPath {
      do {
        try calibration.importanceMatrix(of: workspace.description).write(to: path)
      } catch {
        throw JobFailure(error)
      }
    }
    workspace.accept(calibration)
    workspace.emit(.calibrated(id, calibration.summary))
  }

  private mutating func sayHowFar(_ work: MomentsWork, in workspace: Workspace) {
    let done = Int(work.fractionCompleted * Double(work.windows.count * work.windows.length))
    let progress = meter.report(
      completed: done, of: work.windows.count * work.windows.length,
      workLeft: 1 - work.fractionCompleted, now: workspace.now())
    if let progress { workspace.emit(.jobProgress(id, progress)) }
  }
}

/// A pass of the original model over a text that collects second moments at every site.
struct MomentsWork {
  let windows: TokenWindows
  /// What was found so far.
  private(set) var moments: [InputSite: InputStatistics] = [:]
  private let decoder: Decoder
  private var pass: ActivationPass

  init(_ windows: TokenWindows, in workspace: inout Workspace) throws(JobFailure) {
    self.windows = windows
    decoder = try workspace.models.original()
    do {
      pass = try ActivationPass(windows, decoder: decoder)
    } catch {
      throw JobFailure(error)
    }
    pass.begin(observing: .moments, advancing: true)
  }

  /// Share of blocks and head that are done: 0...1.
  var fractionCompleted: Double {
    let blocks = Double(decoder.description.blockCount)
    return min((Double(pass.block) + (pass.isAtHead ? 0 : pass.fractionCompleted)) / blocks, 1)
  }

  /// Works for a while.
  ///
  /// - Returns: whether there is more to do.
  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> Bool {
    let block = pass.block
    let isAtHead = pass.isAtHead
    if pass.step(with: decoder) { return true }
    let sites = isAtHead ? [.head] : InputSite.sites(ofBlock: block)
    for site in sites {
      let found = pass.statistics(at: site)
      guard found?.secondMoments.firstNonFinite == nil else {
        throw JobFailure(
          InferenceError.notFinite(place: isAtHead ? "before the head" : "in block \(block)"))
      }
      moments[site] = found
    }
    guard !isAtHead else { return false }
    pass.begin(observing: .moments, advancing: true)
    return true
  }
}
