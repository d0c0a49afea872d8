import Engine
import Testing

@testable import Workbench

/// Filters that ask for figures, and columns that people choose.
@Suite struct ConditionTests {
  /// Block 0: 4 bits in down_proj, 2:4 zeros in gate_proj; block 1: 3 bits by GPTQ in q_proj; the rest is kept.
  private func planned() -> App {
    var app = App()
    app.command("filter block:0 role:down")
    app.press("a", "4")
    app.command("filter block=0 gate")
    app.press("A", "a")
    app.command("sparsity 2:4")
    app.command("filter q_proj 1")
    app.press("A", "a", "3")
    app.command("method gptq")
    app.press("A")
    return app
  }

  @Test(arguments: [
    ("bits<5", [7, 8]), ("bits<=3", [8]),
    ("bits>=16", Array(0...21).filter { ![7, 8].contains($0) }),
    ("bits=4", [7]), ("method:gptq", [8]), ("is:changed", [5, 7, 8]),
    ("is:kept block:0", [1, 2, 3, 4, 6]),
    ("sparsity>0.3", [5]), ("sparsity>=50%", [5]), ("sparsity>=50", [5]), ("sparsity>50%", []),
    ("role:down_proj block<2", [7, 14]), ("*.mlp.* is:changed", [5, 7]),
    ("re:(q|o)_proj bits<4", [8]),
    ("group<=128 bits=4", [7]), ("size>50MB", [0]), ("size<100 kB", []),
    ("type:bf16 block:1 role:k", [9]),
    ("kld>0", []), ("db<100", []), ("bits<", Array(0...21)),
  ])
  func filtersByFigures(_ text: String, _ layers: [Int]) {
    var app = planned()
    app.command("filter \(text)")
    #expect(app.state.table.filter.flaw == nil)
    #expect(app.state.table.matching == layers)
  }

  @Test(arguments: [
    ("bitz<4", "\"bitz\" is nothing to filter by"), ("bits<few", "bits is a number"),
    ("size>lots", "size is a size such as 10MB"), ("role<4", "role is compared by role:TEXT"),
    ("is:big", "a layer is kept, changed or a misfit"), ("=4", "\"\" is nothing to filter by"),
  ])
  func saysWhatIsWrong(_ text: String, _ message: String) {
    var app = App()
    app.command("filter \(text)")
    #expect(app.state.line?.flaw?.hasPrefix(message) == true)
    #expect(app.state.table.matching.count == 22)
  }

  @Test func unknownFiguresMeetNoConditionUntilTheyAreKnown() {
    var app = planned()
    app.report("model.layers.1.self_attn.q_proj", sqnr: 12)
    app.report("model.layers.0.mlp.down_proj", sqnr: 21)
    app.command("filter db<15")
    #expect(app.state.table.matching == [8])
  }

  @Test func aLayerThatChangesStaysUntilTheFilterIsAskedAgain() {
    var app = planned()
    app.command("filter bits<5")
    app.press("a", "8")
    #expect(app.state.table.matching == [7, 8])
    app.press("/", "Enter")
    #expect(app.state.table.matching.isEmpty)
  }

  @Test func completesFiguresBehindOtherWords() {
    var app = App()
    app.press("/")
    app.type("down_proj bi")
    #expect(app.state.line?.completions.map(\.text) == ["down_proj bits<"])
  }

  @Test func showsTheColumnsThatWereAskedForInTheirOrder() {
    var app = App()
    app.press("|")
    app.type("size share, bits")
    app.press("Enter")
    let heading = app.row("layer ", "share")
    let places = ["size", "share", "bits"].compactMap { heading.firstRange(of: $0)?.lowerBound }
    #expect(places.count == 3 && places == places.sorted())
    #expect(!heading.contains("group"))
    app.command("columns auto")
    #expect(app.row("layer ", "group").contains("method"))
    app.command("columns bits colour")
    #expect(app.state.line?.flaw?.hasPrefix("No column \"colour\"; there are shape, type") == true)
  }

  @Test func theEmbeddingsShareOfAllLayers() throws {
    var app = App()
    app.command("columns share")
    // 49,152 rows of the embedding beside three blocks, of (2 x 576 + 2 x 192) x 576 and 3 x 1536 x 576 weights each.
    let share = 49_152.0 / (49_152 + 3 * (2 * 576 + 2 * 192 + 3 * 1536))
    #expect(app.row("embed_tokens", "%").contains("\(Int((share * 100).rounded()))%"))
  }

  @Test(arguments: ["shape", "group", "method", "sparsity", "type"])
  func aClickOnAnyTitleSorts(_ title: String) throws {
    var app = App()
    app.resize(200, 50)
    app.command("columns shape type bits group method sparsity")
    app.click(on: title)
    #expect(app.state.table.order != .natural)
    #expect(app.row("Layers 22").contains(app.state.table.order.title))
  }
}
