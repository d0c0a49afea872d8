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
}
