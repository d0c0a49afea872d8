import Compression
import Terminal
import Testing

@testable import Workbench

@Suite struct TableTests {
  @Test func startsInNaturalOrderWithTheFirstLayerUnderTheCursor() {
    let app = App()
    #expect(app.cursorLayer == "model.embed_tokens")
    #expect(app.state.table.rows.prefix(3) == [.layer(0), .block(0), .layer(1)])
  }

  @Test func blocksOfLargeModelsAreFoldedButTheFirst() {
    let app = App(.synthetic(blocks: 30))
    #expect(app.state.table.folded == Set(1..<30))
    #expect(app.row("q_proj").contains("576×576"))
    #expect(app.row("block 29").isEmpty == false || app.state.table.rows.count > 20)
  }

  @Test func foldsAndUnfoldsUnderTheCursor() {
    var app = App()
    app.press("j", "h")
    #expect(app.state.table.folded == [0])
    app.press("l")
    #expect(app.state.table.folded.isEmpty)
    app.press("Enter")
    #expect(app.state.table.folded == [0])
    app.press("+")
    #expect(app.state.table.folded.isEmpty)
    app.press("-")
    #expect(app.state.table.folded == [0, 1, 2])
    #expect(app.state.table.rows.count == 4)
  }

  @Test func leftOnALayerGoesToItsBlock() {
    var app = App()
    app.press("j", "j", "j", "h")
    #expect(app.state.table.row == .block(0))
  }

  @Test func movesByKeysPagesAndSequences() {
    var app = App()
    app.press("j", "j", "k")
    #expect(app.state.table.cursor == 1)
    app.press("g", "e")
    #expect(app.state.table.cursor == app.state.table.rows.count - 1)
    app.press("g", "g")
    #expect(app.state.table.cursor == 0)
    app.press("PgDn")
    #expect(app.state.table.cursor > 5)
    app.press("Home", "End")
    #expect(app.state.table.cursor == app.state.table.rows.count - 1)
  }

  @Test func theCursorStaysOnTheScreen() {
    var app = App(columns: 80, rows: 24)
    for _ in 0..<100 { app.press("j") }
    let rows = ScreenLayout(app.state, size: app.state.size).tableRows.rows
    let seen = app.state.table.top..<app.state.table.top + rows
    #expect(seen.contains(app.state.table.cursor))
    app.resize(60, 16)
    let fewer = ScreenLayout(app.state, size: app.state.size).tableRows.rows
    #expect((app.state.table.top..<app.state.table.top + fewer).contains(app.state.table.cursor))
  }

  @Test func spaceMarksAndAdvances() {
    var app = App()
    app.press("space", "j", "space")
    #expect(app.state.table.marks == [0, 1])
    #expect(app.state.table.cursor == 3)
    app.press("k", "space")
    #expect(app.state.table.marks == [0])
    app.press("Esc")
    #expect(app.state.table.marks.isEmpty)
  }

  @Test func spaceOnABlockMarksItsLayers() {
    var app = App()
    app.press("j", "space")
    #expect(app.state.table.marks == Set(1...7))
  }

  @Test func aRangeGoesFromWhereItBeganToTheCursor() {
    var app = App()
    app.press("j", "j", "v", "j", "j")
    #expect(app.state.targets == [1, 2, 3])
    app.press("v")
    #expect(app.state.table.marks == [1, 2, 3])
    #expect(app.state.table.anchor == nil)
  }

  @Test func escapeDropsARangeBeforeMarks() {
    var app = App()
    app.press("space", "v", "j", "Esc")
    #expect(app.state.table.anchor == nil)
    #expect(app.state.table.marks == [0])
  }

  /// Nobody changes layers that are not in the table.
  @Test func marksThatAFilterHidesWait() {
    var app = App()
    app.press("a")
    app.type("/down")
    app.press("Enter", "6")
    #expect(app.scheme("0.mlp.down_proj")?.quantization?.bits == 6)
    #expect(app.scheme("0.mlp.up_proj") == .keep)
    #expect(app.row("Layers", "3 marked", "19 marked are hidden") != "")
    app.type("/q_proj")
    app.press("Enter", "A", "Esc", "j", "space")
    app.type("/gate")
    app.press("Enter", "4")
    // None of the marked layers is in the table: the one under the cursor is meant.
    #expect(app.scheme("0.mlp.gate_proj")?.quantization?.bits == 4)
    #expect(app.scheme("1.mlp.gate_proj") == .keep)
  }

  @Test func marksOfTheSameRole() {
    var app = App()
    app.press("j", "j", "*")
    #expect(app.state.table.marks == [1, 8, 15])
  }

  @Test func marksAllHoweverOftenAndNone() {
    var app = App()
    app.press("a", "a")
    #expect(app.state.table.marks.count == 22)
    app.press("A")
    #expect(app.state.table.marks.isEmpty)
  }

  @Test func sortingHoldsAfterUndo() throws {
    var app = App()
    app.command("sort bits")
    app.press("End", "2")
    app.press("u", "Home", "2", "End", "3", "u")
    let model = try #require(app.state.model)
    let bits = app.state.table.rows.compactMap { row in
      if case .layer(let index) = row { model.bitsPerWeight(index) } else { nil }
    }
    #expect(bits.count == 22 && Set(bits).count > 1)
    #expect(bits == bits.sorted(by: >))
  }

  @Test func filtersWhileTyping() {
    var app = App()
    app.press("/")
    app.type("down")
    #expect(app.state.table.matching == [7, 14, 21])
    app.press("Enter")
    #expect(app.state.line == nil)
    #expect(app.row("Layers 22").contains("/down 3"))
    app.press("a")
    #expect(app.state.table.marks == [7, 14, 21])
    app.press("Esc", "Esc")
    #expect(app.state.table.filter.isEmpty)
  }

  @Test func escapeInTheFilterLineGoesBack() {
    var app = App()
    app.press("/")
    app.type("up")
    app.press("Esc")
    #expect(app.state.table.matching.count == 22)
  }

  @Test(arguments: [
    ("q_proj", [1, 8, 15]), ("down 1", [14]), ("*.mlp.up_proj", [6, 13, 20]),
    ("re:(q|k)_proj$", [1, 2, 8, 9, 15, 16]), ("embed", [0]), ("layers.2", Array(15...21)),
    ("DOWN", [7, 14, 21]), ("nothing", []),
  ])
  func filters(_ text: String, _ layers: [Int]) {
    var app = App()
    app.command("filter \(text)")
    #expect(app.state.table.matching == layers)
  }

  @Test func aBadExpressionSaysSoAndFiltersNothing() {
    var app = App()
    app.press("/")
    app.type("re:(")
    #expect(app.state.line?.flaw != nil)
    #expect(app.state.table.matching.count == 22)
  }

  @Test func nextAndPreviousMatchAfterTheFilterIsGone() {
    var app = App()
    app.command("filter v_proj")
    app.press("Esc", "Esc", "g", "g", "n")
    #expect(app.cursorLayer == "model.layers.0.self_attn.v_proj")
    app.press("n")
    #expect(app.cursorLayer == "model.layers.1.self_attn.v_proj")
    app.press("N", "N")
    #expect(app.cursorLayer == "model.layers.2.self_attn.v_proj")
  }

  @Test func sortsBySizeAndBack() {
    var app = App()
    app.press("j", "j", "S")
    #expect(app.state.table.order == .size)
    #expect(app.state.table.rows.first == .layer(0))
    #expect(app.cursorLayer == "model.layers.0.self_attn.q_proj")
    app.command("sort natural")
    #expect(app.state.table.rows[1] == .block(0))
  }

  @Test func sortsByDecibelWorstFirst() {
    var app = App()
    app.command("filter q_proj")
    app.press("a", "4")
    app.report("model.layers.0.self_attn.q_proj", sqnr: 20)
    app.report("model.layers.1.self_attn.q_proj", sqnr: 10)
    app.report("model.layers.2.self_attn.q_proj", sqnr: 30)
    app.command("sort db")
    #expect(app.state.table.rows == [.layer(8), .layer(1), .layer(15)])
  }
}
