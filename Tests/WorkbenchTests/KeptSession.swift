import Checkpoints
import Engine
import Foundation
import Inference
import Sessions
import Synchronization
import TestSupport
import Testing

@testable import Workbench

/// A workbench with its keeper, whose state is kept in a directory as that of the real one is.
struct KeptSession {
  var app: App
  private let keeper: SessionKeeper
  private let heard = HeardEvents()

  /// Opens a model with what is kept in a directory.
  init(
    in directory: String, model: ModelDescription? = .synthetic(), choice: SessionChoice = .ask
  ) {
    keeper = SessionKeeper(directory: directory)
    let heard = heard
    keeper.begin { heard.add($0) }
    app = App(nil)
    app.state.session.choice = choice
    _ = app.state.take(keeper.choices(within: .seconds(10)))
    app.clearEffects()
    if let model { app.send(.opened(model)) }
    app.state.notice = nil
    carryOut()
  }

  func recentModels() -> [StartEntry] { keeper.recentModels() }

  /// Lets the app do something, and the keeper do what it asks for.
  mutating func act(_ change: (inout App) -> Void) {
    change(&app)
    carryOut()
  }

  /// Does what the app asks for until it asks for nothing; returns what it asked for of others than the keeper.
  @discardableResult
  mutating func carryOut() -> [Effect] {
    var others: [Effect] = []
    while !app.effects.isEmpty {
      let effects = app.effects
      app.clearEffects()
      for effect in effects.withoutStale() {
        switch effect {
        case .openSession, .chooseSession, .keepSession, .keepEvaluation, .keepChoice,
          .writeSnapshots:
          keeper.carryOut(effect)
        default: others.append(effect)
        }
      }
      keeper.finish()
      for event in heard.take() { app.handle(.file(event)) }
    }
    asked += others
    return others
  }

  /// Everything that was asked for of others than the keeper.
  private(set) var asked: [Effect] = []

  var snapshotNames: [String] { app.state.snapshots.all.map(\.name) }
}

/// What a worker said, from any thread.
final class HeardEvents: Sendable {
  private let all = Mutex<[FileEvent]>([])

  var events: [FileEvent] { all.withLock { $0 } }

  func add(_ event: FileEvent) { all.withLock { $0.append(event) } }

  func take() -> [FileEvent] {
    all.withLock { events in
      defer { events = [] }
      return events
    }
  }
}

extension App {
  /// Measures the plan as it is on a text, as if the engine had found that.
  mutating func evaluate(_ text: String, _ result: EvaluationSummary) {
    command("evaluate \(text)")
    guard let job = state.jobs.running(.evaluate)?.id else { return }
    send(.evaluated(job, result))
    send(.jobEnded(job, .finished))
  }

  /// Takes sensitivity on as measured by a job, or read from a file.
  mutating func know(by job: JobID? = nil, from path: String? = nil) {
    guard let model = state.model else { return }
    send(.sensitivity(job, SyntheticSolver.sensitivity(of: model, path: path)))
  }

  /// Asks both models, of which the compressed one answers with these words.
  mutating func answer(_ prompt: String, with words: [String]) {
    press("p")
    type(prompt)
    press("Enter")
    guard let job = state.conversation.job else { return }
    for (index, word) in words.enumerated() {
      send(
        .token(
          job,
          GeneratedToken(
            side: .compressed, index: index, id: index, text: word, tokensPerSecond: 41)))
    }
    send(.answerEnded(job, .compressed, .endOfText))
    send(.jobEnded(job, .finished))
    press("Esc")
  }
}

extension EvaluationSummary {
  /// What an evaluation finds of a plan of some KLD, in four windows around it.
  static func measured(_ mean: Double) -> EvaluationSummary {
    EvaluationSummary(
      tokens: 512, windows: 4, referencePPL: Estimate(12.5),
      compressedPPL: Estimate(12.5 + 10 * mean),
      divergence: .init(
        mean: Estimate(mean), median: Estimate(0.01), p99: Estimate(0.4), max: Estimate(2)),
      windowDivergences: [0.9, 1.1, 1.05, 0.95].map { $0 * mean })
  }
}
