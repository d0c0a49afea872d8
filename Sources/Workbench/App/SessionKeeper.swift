import Dispatch
import Engine
import Foundation
import Sessions
import Synchronization

/// Keeps sessions as they happen, away from the screen's thread, in the order in which that was asked for.
///
/// Of states that come faster than they can be written only the last is.
final class SessionKeeper: Sendable {
  private let queue = DispatchQueue(label: "vise.sessions")
  private let work: Mutex<Work>
  /// The last state that waits to be written, if nothing else was asked for since.
  private let waiting = Mutex<WaitingImage?>(nil)

  /// What only the queue touches.
  fileprivate struct Work: Sendable {
    var store: SessionStore?
    /// Why there is no store.
    var flaw: SessionError?
    var report: @Sendable (FileEvent) -> Void = { _ in }
    var fingerprint = ""
    /// What this session knows to be saved of the open model's snapshots.
    var snapshots: [Snapshot] = []
    var offered: (held: HeldSession, session: SavedSession)?
    var writer: SessionWriter?
    /// What was last said of a failure, so that it is said once.
    var lastFailure: SessionError?
    /// Whether the last state is not in the database.
    var isBehind = false
    /// The choices that were read when nobody waited for them any more.
    var lateChoices: KeptChoices?
  }

  private final class WaitingImage: Sendable {
    let image: Mutex<SessionImage>
    init(_ image: SessionImage) { self.image = Mutex(image) }
  }

  /// - Parameter directory: Where what outlives a session is kept; nil keeps nothing.
  init(directory: String?) {
    work = Mutex(Work())
    guard let directory else { return }
    queue.async { [self] in work.withLock { $0.openStore(in: directory) } }
  }

  /// Says from now on what comes of what is asked for, on a thread of its own.
  func begin(report: @escaping @Sendable (FileEvent) -> Void) {
    queue.async { [self] in
      work.withLock { work in
        work.report = report
        if let choices = work.lateChoices { report(.choicesFound(choices)) }
      }
    }
  }

  /// What was chosen for all sessions.
  ///
  /// Nothing where that is not known within `patience`, as while another program holds the database; it is then reported
  /// once it is known.
  func choices(within patience: Duration) -> KeptChoices {
    let (read, answer) = (DispatchSemaphore(value: 0), ChoicesAnswer())
    queue.async { [self] in
      work.withLock { work in
        var choices = KeptChoices()
        for name in KeptChoices.Name.allCases {
          choices[name] = work.store.flatMap { try? $0.setting(name.rawValue) }
        }
        let isLate = answer.state.withLock { answer in
          answer.choices = choices
          return answer.isLate
        }
        if isLate, !choices.isEmpty { work.lateChoices = choices }
      }
      read.signal()
    }
    _ = read.wait(timeout: .now() + .milliseconds(Int(patience / .milliseconds(1))))
    return answer.state.withLock { answer in
      answer.isLate = answer.choices == nil
      return answer.choices ?? KeptChoices()
    }
  }

  private final class ChoicesAnswer: Sendable {
    let state = Mutex<(choices: KeptChoices?, isLate: Bool)>((nil, false))
  }

  /// Does what an effect on sessions asks for, some time soon.
  func carryOut(_ effect: Effect) {
    if case .keepSession(let image) = effect { return keep(image) }
    // What comes after it must not be overtaken by a state that waits.
    waiting.withLock { $0 = nil }
    queue.async { [self] in work.withLock { $0.carryOut(effect) } }
  }

  private func keep(_ image: SessionImage) {
    let added = waiting.withLock { waiting -> WaitingImage? in
      if let waiting {
        waiting.image.withLock { $0 = image }
        return nil
      }
      let new = WaitingImage(image)
      waiting = new
      return new
    }
    guard let added else { return }
    queue.async { [self] in
      waiting.withLock { if $0 === added { $0 = nil } }
      let image = added.image.withLock { $0 }
      work.withLock { $0.write(image) }
    }
  }

  /// The models that were open lately and are still where they were, the latest first; waits until they are read.
  func recentModels() -> [StartEntry] {
    let recent = queue.sync { work.withLock { $0.recentModels() } }
    return recent.filter { FileManager.default.fileExists(atPath: $0.model.path) }
      .map { StartEntry($0, in: .current) }
  }

  /// Waits until everything asked for is done.
  func finish() { queue.sync {} }
}

extension SessionKeeper.Work {
  fileprivate mutating func openStore(in directory: String) {
    do throws(SessionError) {
      store = try SessionStore(directory: directory)
    } catch {
      flaw = error
    }
  }

  /// The models of the start screen; none where they cannot be read.
  fileprivate func recentModels() -> [RecentModel] {
    (try? store?.recentModels(limit: 10)) ?? []
  }

  fileprivate mutating func carryOut(_ effect: Effect) {
    switch effect {
    case .openSession(let model, let older): open(model, older: older)
    case .chooseSession(let goesOn): choose(goesOn: goesOn)
    case .keepEvaluation(let evaluation, let fingerprint):
      attempt { store throws(SessionError) in
        .evaluationKept(
          fingerprint: fingerprint, try store.record(evaluation, of: fingerprint))
      }
    case .keepChoice(let name, let value):
      attempt { store throws(SessionError) in
        try store.set(name.rawValue, to: value)
        return nil
      }
    case .keepClusterJob(let job):
      attempt { store throws(SessionError) in
        try store.record(job)
        return nil
      }
    case .writeSnapshots(let snapshots, let fingerprint): save(snapshots, of: fingerprint)
    default: break
    }
  }

  /// Reads all that is kept of a model, and says it.
  private mutating func open(_ model: ModelRecord, older: String?) {
    (fingerprint, snapshots, offered, writer) = (model.fingerprint, [], nil, nil)
    (lastFailure, isBehind) = (nil, false)
    for attempt in 1... {
      guard let store else {
        if let flaw { report(.sessionUnkept(reason: flaw.description)) }
        return
      }
      do throws(SessionError) {
        return try read(model, older: older, from: store)
      } catch {
        if error.isBusy, attempt < Self.attempts { continue }
        if error.isLasting { (self.store, flaw) = (nil, error) }
        return report(.sessionUnkept(reason: error.description))
      }
    }
  }

  /// How often a database that another program holds is asked before this session is not kept.
  private static let attempts = 3

  private mutating func read(
    _ model: ModelRecord, older: String?, from store: SessionStore
  ) throws(SessionError) {
    var model = model
    if !SSHAddress.isMeant(by: model.path) {
      model.path = URL(filePath: model.path).standardizedFileURL.path
    }
    try store.note(model)
    let found = try store.snapshots(of: fingerprint, older: older)
    let evaluations = try store.evaluations(of: fingerprint)
    let jobs = try store.submittedJobs(of: fingerprint)
    let last = try store.lastSession(of: fingerprint)
    let path = try Self.sensitivityPath(of: fingerprint, in: store)
    // Nothing is said before all of it is read, so that it can be read again.
    snapshots = found.all
    offered = last.map { ($0.held, $0.session) }
    report(.snapshotsRead(fingerprint: fingerprint, found.all, isOlder: found.hasOlder))
    if let flaw = found.flaw {
      report(.snapshotsUnreadable(fingerprint: fingerprint, reason: flaw.description))
    }
    report(.evaluationsRead(fingerprint: fingerprint, evaluations))
    if !jobs.isEmpty { report(.clusterJobsRead(fingerprint: fingerprint, jobs)) }
    report(
      .sessionFound(
        fingerprint: fingerprint,
        last.map { FoundSession($0.session, age: Date().timeIntervalSince($0.changed)) },
        sensitivity: path, hasSensitivity: FileManager.default.fileExists(atPath: path)))
  }

  private static func sensitivityPath(
    of fingerprint: String, in store: SessionStore
  ) throws(SessionError) -> String {
    let folder = "\(store.directory)/sensitivity"
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw SessionError(path: folder, reason: "cannot be made: \(FileWorker.reason(error))")
    }
    return "\(folder)/\(fingerprint).safetensors"
  }

  private mutating func choose(goesOn: Bool) {
    writer = nil
    if goesOn, let offered, let store {
      writer = SessionWriter(offered.held, with: offered.session, of: fingerprint, in: store)
    }
    offered = nil
  }

  fileprivate mutating func write(_ image: SessionImage) {
    guard image.fingerprint == fingerprint, let store else { return }
    do throws(SessionError) {
      // `??` takes a closure that throws anything.
      var writer: SessionWriter
      if let known = self.writer {
        writer = known
      } else {
        writer = SessionWriter(try store.beginSession(), with: nil, of: fingerprint, in: store)
      }
      try writer.write(try image.saved(into: store.path))
      self.writer = writer
      lastFailure = nil
      if isBehind { report(.sessionWritten) }
      isBehind = false
    } catch {
      isBehind = true
      say(error)
    }
  }

  private mutating func save(_ snapshots: [Snapshot], of fingerprint: String) {
    guard let store, fingerprint == self.fingerprint else { return }
    do throws(SessionError) {
      let merged = try store.save(snapshots, of: fingerprint, since: self.snapshots)
      self.snapshots = merged
      if merged != snapshots {
        report(.snapshotsMerged(fingerprint: fingerprint, written: snapshots, merged))
      }
    } catch {
      report(.snapshotsUnwritable(reason: "cannot save snapshots: \(error)"))
    }
  }

  /// Does something with the store, and says what came of it.
  private mutating func attempt(
    _ body: (SessionStore) throws(SessionError) -> FileEvent?
  ) {
    guard let store else { return }
    do throws(SessionError) {
      if let event = try body(store) { report(event) }
      lastFailure = nil
    } catch {
      say(error)
    }
  }

  /// Says once why something cannot be kept.
  private mutating func say(_ error: SessionError) {
    if error != lastFailure { report(.sessionUnwritten(reason: error.description)) }
    lastFailure = error
  }
}
