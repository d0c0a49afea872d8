import Compression
import Engine
import Tensors
import Testing

@testable import Workbench

/// Where a masked layer stands against dense bits.
struct SparsityTests {
  private let layer = "model.layers.0.self_attn.q_proj"

  /// The first layer of block 0, under the cursor, at 4 bits with half of its weights zeroed.
  private func masked(columns: Int = 200, rows: Int = 50) -> App {
    var app = App(columns: columns, rows: rows)
    app.press("j", "j", "4")
    app.command("sparsity 50%")
    return app
  }

  private func previews(_ app: App) -> [Scheme] {
    app.commands.compactMap { command in
      if case .preview(_, layer, let scheme) = command { scheme } else { nil }
    }
  }

  private func report(_ app: App, _ scheme: Scheme, _ standing: Standing, sqnr: Double) throws
    -> LayerReport
  {
    var report = LayerReport.synthetic(
      layer, in: try #require(app.state.model), standing: standing, sqnr: sqnr)
    report.scheme = scheme
    return report
  }

  @Test func theInspectorSaysWhatTheSameBytesHoldWithoutZeros() throws {
    var app = masked()
    let dense = Scheme(quantization: QuantizationScheme(bits: 3))
    #expect(previews(app).last == dense)
    // 576 x 576 weights of 1 + 2 + 0.25 bits, and of 3.25 with 16 bytes of shape.
    #expect(app.row("with a bitmask").contains("135 KB, 3.25 bpw"))
    #expect(app.row("dense 3 bit").contains("135 KB, …"))
    app.clearEffects()
    app.send(.report(try report(app, dense, .sampled(rows: 32), sqnr: 14.23)))
    #expect(app.row("dense 3 bit").contains("135 KB, ~14.2 dB"))
    app.report(layer, sqnr: 9.5)
    app.send(.report(try report(app, dense, .exact, sqnr: 14.1)))
    #expect(app.row("dense 3 bit").contains("135 KB, 14.1 dB"))
    #expect(app.row("SQNR").contains("9.5 dB"))
    app.press("j", "k")
    #expect(previews(app).isEmpty)
    // Another mask stands against other bits.
    app.command("sparsity 25%")
    #expect(previews(app) == [Scheme(quantization: QuantizationScheme(bits: 4))])
    #expect(app.row("dense 4 bit").contains("…"))
  }

  @Test func leavingALayerEndsItsPreview() {
    var app = masked()
    app.clearEffects()
    app.press("k")
    #expect(app.commands.contains(.cancel(JobList.previewID)))
    app.press("j")
    #expect(previews(app) == [Scheme(quantization: QuantizationScheme(bits: 3))])
  }

  @Test func theTableHasAColumnForBitmasksWhereSomethingIsPruned() {
    var app = App(columns: 200, rows: 50)
    #expect(!app.screen.contains("bitmask"))
    app = masked()
    #expect(app.row("shape", "size").contains("bitmask"))
    let row = app.row("q_proj", "50%")
    #expect(row.contains("~176 KB") && row.contains("135 KB"))
    // A block's sum has the layers that are not pruned as they are.
    #expect(!app.row("k_proj").contains("135 KB"))
    #expect(!masked(columns: 100).row("size").contains("bitmask"))
  }
}
