import Checkpoints
import Compression
import Engine
import Terminal
import Testing

@testable import Workbench

@Suite struct MatrixTests {
  private func session(_ columns: Int = 160, _ rows: Int = 40) -> App {
    var app = App(.synthetic(blocks: 3, name: "Tiny-135M"), columns: columns, rows: rows)
    app.press("V")
    app.state.notice = nil
    return app
  }

  @Test func keysGoFromBlockToBlockAndRoleToRole() {
    var app = session()
    app.press("Home", "j")
    #expect(app.cursorLayer == "model.layers.0.self_attn.q_proj")
    app.press("l", "l", "j")
    #expect(app.cursorLayer == "model.layers.1.self_attn.v_proj")
    app.press("End", "l", "l", "l", "l", "l", "l")
    #expect(app.cursorLayer == "model.layers.2.mlp.down_proj")
    app.press("h", "k")
    #expect(app.cursorLayer == "model.layers.1.mlp.up_proj")
  }

  @Test func itIsEditedAsTheTableIs() {
    var app = session()
    app.press("Home", "j", "4")
    #expect(app.scheme("0.self_attn.q_proj")?.quantization?.bits == 4)
    app.press("*", "3")
    #expect(app.scheme("2.self_attn.q_proj")?.quantization?.bits == 3)
    #expect(app.scheme("2.self_attn.k_proj")?.quantization == nil)
    app.press("u")
    #expect(app.scheme("2.self_attn.q_proj")?.quantization == nil)
  }

  @Test func figuresTakeTurns() {
    var app = session()
    #expect(app.row("by role: bits") != "")
    app.press("V")
    #expect(app.row("by role: predicted KLD") != "")
    app.press("V")
    #expect(app.row("by role: bytes") != "" && app.row("block 0").contains("664KB"))
    app.press("V", "V")
    #expect(app.state.matrix == nil && app.row("by block") != "")
    app.command("matrix error")
    #expect(app.state.matrix == .error)
    app.command("matrix colours")
    #expect(app.state.line?.flaw == "No figure \"colours\"; there are bits, kld, bytes, error, off")
    app.press("Esc")
    app.command("matrix off")
    #expect(app.state.matrix == nil)
  }

  @Test func aFilterLeavesItsLayers() {
    var app = session()
    app.command("filter down")
    #expect(app.row("block 1") != "" && !app.screen.contains("embed_tokens  "))
    app.press("j", "j", "j", "8")
    #expect(app.scheme("2.mlp.down_proj")?.quantization?.bits == 8)
  }

  @Test func theMouseChoosesAndMarks() {
    var app = session()
    app.command("filter proj")
    app.press("a", "4", "Esc", "Esc")
    guard let row = app.place(of: "block 1") else {
      Issue.record("no block 1")
      return
    }
    let width = (app.state.size.columns * 64 / 100) / 9
    app.click(row.column + 13 + width, row.row)
    let first = app.cursorLayer
    #expect(first?.hasPrefix("model.layers.1.") == true)
    app.click(row.column + 13 + width, row.row)
    #expect(app.state.table.marks.count == 1)
  }

  @Test(arguments: [(80, 24), (120, 36), (200, 50)])
  func screens(columns: Int, rows: Int) throws {
    var app = session(columns, rows)
    app.command("filter down")
    app.press("a", "6", "Esc", "Esc")
    app.command("filter gate")
    app.press("a", "3", "Esc", "Esc")
    app.press("Home", "j", "l", "space")
    app.state.notice = nil
    try expectGolden(app.screen, "matrix-\(columns)x\(rows)")
  }
}
