import Checkpoints
import Compression
import Engine
import Tensors
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

  /// What experts' projections are called differs at the end only.
  @Test(arguments: [80, 120, 200])
  func longNamesKeepTheirEnd(columns: Int) {
    let model = ModelDescription.synthetic()
    let layers = ["gate_proj", "up_proj", "down_proj"].map { part in
      LayerDescription(
        name: "model.layers.0.mlp.experts.\(part)", role: Role(rawValue: "experts.\(part)"),
        block: 0,
        count: 4,
        rows: 128, columns: 32, type: .bfloat16, bytes: 8192)
    }
    var app = App(nil, columns: columns)
    app.send(
      .opened(
        ModelDescription(
          name: "Mixture", path: model.path, format: model.format, architecture: "new",
          blueprint: nil, parameterCount: 12_288, tensorBytes: 24_576, fingerprint: "abc",
          layers: layers)))
    app.press("+")
    for part in ["gate_proj", "up_proj", "down_proj"] {
      #expect(app.screen.contains(".\(part) ") && app.screen.contains(" e"), "\(part)")
    }
  }

  @Test func figuresOfElsewhereAreReadAndServersAnswer() throws {
    var app = app()
    let asked = app.commands.count
    app.command("sensitivity open a.sensitivity")
    #expect(app.commands.count == asked + 1)
    app.command("serve http://localhost:8000")
    app.command("prompt hello")
    #expect(app.state.line == nil)
    let requests = app.commands.compactMap {
      if case .generate(let id, let request) = $0 { (id, request) } else { nil }
    }
    let (id, request) = try #require(requests.first)
    #expect(request.server != nil)
    for side in [AnswerSide.reference, .compressed] {
      app.send(.answerFailed(id, side, reason: "this model does not run: \(Self.obstacle)"))
    }
    app.send(
      .token(
        id, GeneratedToken(side: .served, index: 0, id: nil, text: "Hi there", tokensPerSecond: 0)))
    app.send(.answerEnded(id, .served, .endOfText))
    app.send(.jobEnded(id, .finished))
    #expect(app.screen.contains("Hi there"))
    #expect(app.screen.contains("this model does not run"))
    #expect(app.state.notice?.kind == .warning)
  }
}
