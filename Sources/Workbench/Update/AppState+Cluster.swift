import Checkpoints
import Compression
import Engine
import Export
import Inference
import Serving
import Sessions

/// Jobs on Ray clusters: what is sent there, and what is heard of it.
extension AppState {
  /// Windows of the evaluation text that a job measures its result on.
  private static let clusterWindows = 32

  /// Lets a cluster carry the plan out and measure the result.
  mutating func submit(_ text: String) -> [Effect] {
    guard model != nil else {
      inform("No model is open; o opens one")
      return []
    }
    let words: SubmitWords
    do throws(ServerFailure) { words = try SubmitWords(text) } catch {
      refuse(error.description)
      return []
    }
    let id = jobs.queue(.pack, for: words.address.base)
    cluster.packing[id] = words
    cluster.lastURL = words.address.base
    inform("Packing a job for \(words.address.base); F6 shows it")
    let request = JobPackRequest(
      .compression(target ?? .vllm),
      calibrationPath: calibrationText.isEmpty ? nil : expanded(calibrationText),
      evaluationPath: evaluationText.isEmpty ? nil : expanded(evaluationText),
      evaluationWindows: Self.clusterWindows)
    return [.engine(.packJob(id, request))]
  }

  /// Sends what was packed.
  mutating func send(_ packed: PackedJob, by id: JobID) -> [Effect] {
    guard let words = cluster.packing.removeValue(forKey: id), let model else { return [] }
    let package = JobPackage(files: packed.files)
    // The cluster may have the model where it is here.
    let path = absolute(model.whole.path)
    let request = ClusterRequest(
      model: words.model ?? (path.isEmpty ? model.whole.path : path), root: words.root,
      gpus: words.gpus)
    let name = JobSubmission.makeID()
    let job = SubmittedJob(
      id: name, cluster: words.address.base, model: packed.model,
      fingerprint: packed.fingerprint, plan: packed.plan, steps: request.steps(of: packed),
      package: package.name, folder: request.folder(of: package), bytes: packed.bytes,
      bitsPerWeight: packed.bitsPerWeight, state: ClusterJobState.pending.rawValue)
    list(job)
    let sending = ClusterSending(
      submission: request.submission(of: packed, in: package, id: name), package: package)
    // Kept before it is sent: should the answer be lost, the job is still known.
    return [.keepClusterJob(job), .submitJob(job, sending)]
  }

  /// Follows the jobs of earlier sessions that were not over.
  mutating func find(_ kept: [SubmittedJob]) -> [Effect] {
    let going = kept.filter { job in
      ClusterJobState(rawValue: job.state)?.isOver == false && cluster.number(of: job.id) == nil
    }
    for job in going.reversed() { list(job) }
    if let last = kept.first { cluster.lastURL = cluster.lastURL ?? last.cluster }
    return going.map(Effect.followJob)
  }

  /// Takes on what is heard of a job.
  mutating func take(_ event: ClusterEvent) -> [Effect] {
    switch event {
    case .sent(let id):
      if let number = cluster.number(of: id) { cluster.change(number) { $0.state = .pending } }
      confirm("Job \(id) is submitted; it goes on when the terminal is closed")
    case .refused(let id, let reason):
      refuse(reason)
      return end(id, .failed(reason), as: .lost)
    case .news(let id, let news):
      if let number = cluster.number(of: id) { return take(news, of: number) }
    case .over(let id, let job, let evaluation): return take(job, evaluation, of: id)
    case .failed(let id, let reason):
      refuse(reason)
      // It is not known to be over: the next session looks for it again.
      return end(id, .failed(reason), as: nil)
    }
    return []
  }

  private mutating func take(_ news: ClusterNews, of number: JobID) -> [Effect] {
    cluster.change(number) { entry in
      if case .unreachable(let failure) = news {
        entry.outage = failure.description
        return
      }
      entry.outage = nil
      switch news {
      case .state(let job): entry.state = job.state
      case .lines(let lines):
        entry.log = Array((entry.log + lines).suffix(ClusterState.logLimit))
      case .progress(let progress): entry.progress = progress
      case .serves, .unreachable: break
      }
    }
    switch news {
    case .progress(let progress) where progress.total > 0:
      jobs.progress(number, JobProgress(completed: progress.done, total: progress.total))
    case .progress: jobs.progress(number, JobProgress(completed: 0, total: 0))
    case .serves(let url): return serve(url)
    case .state, .lines, .unreachable: break
    }
    return []
  }

  private mutating func take(
    _ job: ClusterJob, _ evaluation: EvaluationFile?, of id: String
  ) -> [Effect] {
    switch job.state {
    case .pending, .running: return []
    case .succeeded: break
    case .stopped: return end(id, .cancelled, as: .stopped)
    case .lost:
      let reason =
        "the cluster does not know \(id) any more; :submit goes on from what is complete there"
      refuse(reason)
      return end(id, .failed(reason), as: .lost)
    case .failed:
      let reason = job.message.isEmpty ? "its log says why" : job.message
      refuse("Job \(id) failed: \(reason)")
      return end(id, .failed(reason), as: .failed)
    }
    guard let evaluation, let number = cluster.number(of: id), let entry = cluster.entries[number]
    else {
      confirm("Job \(id) is done")
      return end(id, .finished, as: .succeeded)
    }
    let said = EvaluationText(evaluation.summary, glyphs: glyphs).line
    jobs.note(said, for: number)
    confirm("\(said), measured on the cluster; F4 compares")
    return keep(evaluation, of: entry.job) + end(id, .finished, as: .succeeded)
  }

  /// Keeps what a cluster measured, and the plan as a snapshot beside those of here.
  private mutating func keep(_ evaluation: EvaluationFile, of job: SubmittedJob) -> [Effect] {
    guard let model, job.fingerprint == model.whole.fingerprint,
      let plan = try? Plan(yaml: job.plan)
    else { return [] }
    var written = plan
    written.target = nil
    let schemes = model.schemes(of: written)
    let subject = EvaluationSubject(
      textPath: evaluation.text, plan: written, schemes: schemes ?? [], bytes: job.bytes,
      bitsPerWeight: job.bitsPerWeight)
    let effects = keep(evaluation.summary, of: subject)
    guard !effects.isEmpty, let schemes else { return effects }
    snapshots.add(
      Snapshot(
        name: snapshots.all.freshName(from: "cluster"), plan: written,
        schemes: model.named(schemes),
        bytes: job.bytes, bitsPerWeight: job.bitsPerWeight,
        measured: .init(text: evaluation.text, result: evaluation.summary)))
    return effects
  }

  /// Ends a job in the list, and keeps how it ended; nil keeps it as it was.
  private mutating func end(
    _ id: String, _ outcome: JobOutcome, as state: ClusterJobState?
  ) -> [Effect] {
    guard let number = cluster.number(of: id), var job = cluster.entries[number]?.job else {
      return []
    }
    jobs.end(number, outcome)
    guard let state else { return [] }
    job.state = state.rawValue
    cluster.change(number) { ($0.job, $0.state) = (job, state) }
    return [.keepClusterJob(job)]
  }

  private mutating func list(_ job: SubmittedJob) {
    cluster.add(job, as: jobs.addCluster("\(job.id) on \(job.cluster)"))
  }

  /// The job on a cluster that is under the cursor of the Jobs screen.
  var shownClusterJob: ClusterState.Entry? {
    screen == .jobs ? jobs.underCursor.flatMap { cluster.entries[$0.id] } : nil
  }
}
