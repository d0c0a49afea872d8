import Checkpoints
import Compression
import Engine
import Testing

@testable import Workbench

/// What the workbench says, and does not ask for, with a model that does not run.
struct AbilityTests {
  private static let obstacle = "the architecture \"mamba\" does not run yet"

  private func app(columns: Int = 120) -> App {
    let model = ModelDescription.synthetic()
    var app = App(nil, columns: columns)
    app.send(
      .opened(
        ModelDescription(
          name: model.name, path: model.path, format: model.format, architecture: "mamba",
          blueprint: nil,
          abilities: Abilities(runningObstacle: Self.obstacle, gradientObstacle: Self.obstacle),
          parameterCount: model.parameterCount, tensorBytes: model.tensorBytes,
          fingerprint: model.fingerprint, layers: model.layers)))
    return app
  }

  @Test(arguments: [80, 120, 200])
  func openingSaysWhatCannotBeDone(columns: Int) {
    let screen = app(columns: columns).screen
    #expect(screen.contains("! weights only: \(Self.obstacle)"))
    #expect(screen.split(separator: "\n").first?.contains("weights only") == true)
  }

  @Test(arguments: ["prompt hello", "evaluate a.txt", "calibrate a.txt", "sensitivity a.txt"])
  func whatNeedsARunIsRefusedAtOnce(command: String) throws {
    var app = app()
    let asked = app.commands
    app.command(command)
    #expect(app.commands == asked)
    let name = try #require(command.split(separator: " ").first)
    #expect(app.state.line?.flaw == "\(name): \(Self.obstacle)")
  }

  @Test func weightsCanBePlanned() {
    var app = app()
    app.press("j", "j", "4")
    #expect(app.scheme("layers.0.self_attn.q_proj")?.quantization?.bits == 4)
  }

  @Test func figuresOfElsewhereAreReadAndServersAnswer() {
    var app = app()
    let asked = app.commands.count
    app.command("sensitivity open a.sensitivity")
    #expect(app.commands.count == asked + 1)
    app.command("serve http://localhost:8000")
    app.command("prompt hello")
    #expect(app.state.line == nil)
    #expect(app.commands.contains { if case .generate = $0 { true } else { false } })
  }
}
