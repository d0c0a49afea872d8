import Checkpoints
import Compression
import Engine
import Testing

@testable import Workbench

/// What the screen makes of plans that prune the model.
struct StructureTests {
  private static let yaml = """
    vise: 1
    fingerprint: abc
    structure:
      blocks: [1]
    rules:
      - layers: model.layers.1.mlp.up_proj
        bits: 4
    """

  @Test func thePlanIsShownForTheLayersThatAreLeft() throws {
    let plan = try Plan(yaml: Self.yaml)
    var app = App(.synthetic(blocks: 3))
    let whole = try #require(app.state.model).total.bytes
    app.handle(.file(.planRead(path: "p.yaml", plan)))
    #expect(app.commands == [.setPlan(plan)])
    app.send(.restructured(.synthetic(blocks: 2)))
    let model = try #require(app.state.model)
    #expect(model.layers.count == 15)
    #expect(app.scheme("layers.1.mlp.up_proj")?.quantization?.bits == 4)
    #expect(model.total.bytes < whole)
    #expect(!app.screen.contains("made for another checkpoint"))
  }

  // MARK: Choosing

  private func request(_ app: App) throws -> (id: JobID, request: StructureRequest) {
    let asked = app.commands.compactMap { command -> (id: JobID, request: StructureRequest)? in
      if case .chooseStructure(let id, let request) = command { (id, request) } else { nil }
    }
    return try #require(asked.last)
  }

  private func app() -> App {
    var app = App(.synthetic(blocks: 3))
    app.state.calibrationText = "calibration.txt"
    return app
  }

  @Test func asksForSharesOfTheWholeModel() throws {
    var app = app()
    app.command("prune neurons 75%")
    var asked = try request(app).request
    #expect(asked.textPath == "calibration.txt")
    #expect(asked.structure == ModelStructure(neurons: 1152) && asked.blockCount == nil)
    app.command("prune heads 2")
    #expect(try request(app).request.structure == ModelStructure(keyValueHeads: 2))
    app.command("prune blocks 1")
    asked = try request(app).request
    #expect(asked.structure == ModelStructure() && asked.blockCount == 1)
    #expect(app.state.jobs.running(.prune)?.title == "prune blocks 1")
  }

  @Test func whatIsChosenIsOneUndoableChange() throws {
    var app = app()
    app.command("filter layers.2")
    app.press("Esc")
    app.send(.restructured(.synthetic(blocks: 3)))
    app.command("prune blocks 1")
    let id = try request(app).id
    app.clearEffects()
    let structure = ModelStructure(removedBlocks: [1])
    let loss = BlockLoss(block: 1, divergence: 0.125)
    app.send(.structureChosen(id, ChosenStructure(structure: structure, losses: [loss])))
    app.send(.jobEnded(id, .finished))
    #expect(app.state.history.current.structure == structure)
    #expect(app.commands == [.setPlan(app.state.history.current)])
    app.send(.restructured(.synthetic(blocks: 2)))
    #expect(app.state.model?.description.blockCount == 2)
    #expect(app.screen.contains("2 blocks of 1536 neurons and 3 KV heads"))
    app.press("F6")
    #expect(app.row("prune", "done").contains("without block 1 KLD 0.125"))
    app.press("F2")
    // What more is pruned starts from there.
    app.command("prune neurons 1024")
    #expect(
      try request(app).request.structure == ModelStructure(removedBlocks: [1], neurons: 1024))
    app.clearEffects()
    app.press("u")
    #expect(app.state.history.current.structure == nil)
    #expect(app.commands == [.setPlan(app.state.history.current)])
  }

  @Test func noneMakesTheModelWhole() throws {
    var app = App(.synthetic(blocks: 3))
    app.handle(.file(.planRead(path: "p.yaml", try Plan(yaml: Self.yaml))))
    app.send(.restructured(.synthetic(blocks: 2)))
    app.clearEffects()
    app.command("prune none")
    #expect(app.state.history.current.structure == nil)
    app.send(.restructured(.synthetic(blocks: 3)))
    // The rule was for the block that is the third again.
    #expect(app.scheme("layers.2.mlp.up_proj")?.quantization?.bits == 4)
    #expect(app.scheme("layers.1.mlp.up_proj") == .keep)
  }

  @Test func refusesWhatTheModelDoesNotHave() {
    var app = app()
    for (words, reason) in [
      ("neurons 700", "multiple of 32"), ("heads 4", "more than the model's 3"),
      ("experts 50%", "has no experts"),
      ("neurons", "write neurons 75%"), ("layers 2", "write neurons 75%"),
    ] {
      app.command("prune \(words)")
      #expect(app.screen.contains(reason), "\(words)")
      app.press("Esc")
    }
    app.state.calibrationText = ""
    app.command("prune blocks 1")
    #expect(app.screen.contains("No text to choose by"))
    #expect(app.state.jobs.running(.prune) == nil)
  }

  @Test func completesKindsAndCounts() {
    var app = app()
    app.press(":")
    app.type("prune n")
    #expect(app.screen.contains("keeps a share or number of each MLP's neurons"))
    app.press("Esc")
    app.press(":")
    app.type("prune neurons 7")
    app.press("Tab", "Enter")
    #expect(app.state.jobs.running(.prune)?.title == "prune neurons 75%")
  }
}
