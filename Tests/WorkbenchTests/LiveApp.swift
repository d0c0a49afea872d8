import Checkpoints
import Engine
import TestSupport

@testable import Workbench

/// The workbench with a real engine on a real model, whose events it hears at once.
struct LiveApp {
  private final class Heard {
    var events: [EngineEvent] = []
  }

  var app: App
  private var core: EngineCore
  private let heard = Heard()

  init(opening path: String, columns: Int = 120, rows: Int = 36) {
    app = App(nil, columns: columns, rows: rows)
    let heard = heard
    core = EngineCore(settings: EngineSettings(threads: 1)) { heard.events.append($0) }
    app.state.opening = .opening(path: path)
    tell(.open(path: path))
  }

  /// Lets the app do something, and the engine hear what it asks for.
  mutating func act(_ change: (inout App) -> Void) {
    change(&app)
    converse()
  }

  /// Tells the engine something, and the app what comes of it.
  mutating func tell(_ command: EngineCommand) {
    core.receive(command)
    converse()
  }

  /// Lets the engine work until there is nothing to do.
  mutating func work() {
    while core.step() { converse() }
  }

  private mutating func converse() {
    while true {
      let (events, commands) = (heard.events, app.commands)
      heard.events = []
      app.clearEffects()
      if events.isEmpty, commands.isEmpty { return }
      for command in commands { core.receive(command) }
      for event in events { app.send(event) }
    }
  }
}
