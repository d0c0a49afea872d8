import Compression
import Engine

/// An engine without a thread, on a clock that moves a millisecond each time somebody reads it.
final class Driver {
  private final class Record {
    var events: [EngineEvent] = []
    var time = Duration.zero
  }

  private let record: Record
  private var core: EngineCore

  init(
    _ settings: EngineSettings = EngineSettings(threads: 1), servers: ServerAccess = ServerAccess()
  ) {
    let record = Record()
    self.record = record
    core = EngineCore(
      settings: settings, servers: servers,
      now: {
        record.time += .milliseconds(1)
        return record.time
      }, onEvent: { record.events.append($0) })
  }

  /// An engine that has opened `model`.
  convenience init(
    _ model: TinyModel, _ settings: EngineSettings = EngineSettings(threads: 1)
  ) {
    self.init(settings)
    send(.open(path: model.path))
  }

  /// All events so far.
  var events: [EngineEvent] { record.events }

  /// Sends a command and returns the events that it caused at once.
  @discardableResult
  func send(_ command: EngineCommand) -> ArraySlice<EngineEvent> {
    let start = events.count
    core.receive(command)
    return events[start...]
  }

  /// Makes one step; nil if there was nothing to do, else the events that it caused.
  @discardableResult
  func step() -> ArraySlice<EngineEvent>? {
    let start = events.count
    return core.step() ? events[start...] : nil
  }

  /// Makes steps until there is nothing to do, or an event meets the condition.
  ///
  /// - Returns: how many steps those were.
  @discardableResult
  func run(until isReached: (EngineEvent) -> Bool = { _ in false }) -> Int {
    var steps = 0
    while let new = step() {
      steps += 1
      if new.contains(where: isReached) { break }
    }
    return steps
  }
}

extension Sequence<EngineEvent> {
  var reports: [LayerReport] {
    compactMap { if case .report(let report) = $0 { report } else { nil } }
  }

  func tokens(_ side: AnswerSide) -> [GeneratedToken] {
    compactMap { event in
      if case .token(_, let token) = event, token.side == side { token } else { nil }
    }
  }

  /// How jobs ended, in order.
  var endings: [JobEnding] {
    compactMap { event in
      if case .jobEnded(let id, let outcome) = event {
        JobEnding(id: id, outcome: outcome)
      } else {
        nil
      }
    }
  }
}

struct JobEnding: Hashable {
  let id: JobID
  let outcome: JobOutcome
}
