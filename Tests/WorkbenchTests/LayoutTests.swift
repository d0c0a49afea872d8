import Allocation
import Checkpoints
import Compression
import Engine
import Export
import Testing

@testable import Workbench

/// Beginning from a quantized file on the screen.
struct LayoutTests {
  private func layout(
    of app: App, named name: String = "Q4_K_M.gguf", predicted: Double? = nil,
    areExact: Bool = true
  ) -> StoredLayout {
    let scheme = Scheme(quantization: QuantizationScheme(block: .q8_0))
    return StoredLayout(
      path: "/models/\(name)", target: .llamaCpp, bytes: 4_000_000,
      layers: (app.state.model?.layers ?? []).map { layer in
        let isKept = layer.name.contains("embed")
        return LayoutLayer(
          name: layer.name, stored: isKept ? "F16" : "Q8_0", bytes: 1000,
          scheme: isKept ? .keep : scheme, isExact: areExact || isKept)
      },
      predicted: predicted.map { PredictedDivergence(mean: $0, low: $0 / 2, high: 2 * $0) })
  }

  private func asked(_ app: App) -> [(id: JobID, path: String)] {
    app.commands.compactMap {
      if case .readLayout(let id, let request) = $0 { (id, request.path) } else { nil }
    }
  }

  @Test func itsLayoutIsThePlanInOneUndoableChange() throws {
    var app = App(.synthetic(blocks: 2))
    app.command("from Q4_K_M.gguf")
    let request = try #require(asked(app).last)
    #expect(request.path.hasSuffix("Q4_K_M.gguf"))
    #expect(app.state.jobs.running(.layout)?.title == "layout Q4_K_M.gguf")
    app.send(.layoutRead(request.id, layout(of: app)))
    app.send(.jobEnded(request.id, .finished))
    #expect(app.state.target == .llamaCpp)
    #expect(app.scheme("layers.1.mlp.up_proj")?.quantization?.block == .q8_0)
    #expect(app.scheme("model.embed_tokens")?.keepsLayer == true)
    #expect(app.commands.contains(.setPlan(app.state.history.current)))
    #expect(app.screen.contains("Q4_K_M.gguf: 4.00 MB; X measures what its bytes buy"))
    app.press("u")
    #expect(app.scheme("layers.1.mlp.up_proj")?.keepsLayer == true)
  }

  @Test func itsFiguresAreAskedForOnceTheyCanBeKnown() throws {
    var app = App(.synthetic(blocks: 2))
    app.command("from Q4_K_M.gguf")
    app.send(.layoutRead(try #require(asked(app).last).id, layout(of: app, areExact: false)))
    #expect(app.screen.contains("layers have the nearest scheme that is written here"))
    app.press("u")
    app.clearEffects()
    app.send(.sensitivity(nil, SyntheticSolver.sensitivity(of: try #require(app.state.model))))
    let again = try #require(asked(app).last)
    app.send(.layoutRead(again.id, layout(of: app, predicted: 0.05)))
    // What was undone meanwhile stays so; the budget is the file's size.
    #expect(app.scheme("layers.1.mlp.up_proj")?.keepsLayer == true)
    #expect(app.commands.contains(.allocate(.bytes(4_000_000), app.state.allocationSettings)))
    #expect(app.screen.contains("Q4_K_M.gguf: 4.00 MB, predicted KLD 0.05"))
    // Other sensitivity has other figures for the same file.
    app.clearEffects()
    app.send(.sensitivity(nil, SyntheticSolver.sensitivity(of: try #require(app.state.model))))
    #expect(asked(app).map(\.path) == ["/models/Q4_K_M.gguf"])
  }
}
