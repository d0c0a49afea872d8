import Checkpoints
import Compression
import Engine
import Terminal
import Testing

@testable import Workbench

@Suite struct PlanTests {
  @Test func commandsNameTheirLayers() {
    var app = App()
    app.command("bits 4 down_proj")
    app.command("sparsity 2:4 magnitude gate_proj block<1")
    app.command("group 32 down_proj 1")
    app.command("more-bits re:2.*down")
    #expect((0..<3).map { app.scheme("\($0).mlp.down_proj")?.quantization?.bits } == [4, 4, 5])
    #expect(app.scheme("1.mlp.down_proj")?.quantization?.group == .size(32))
    #expect(app.scheme("0.mlp.down_proj")?.quantization?.group != .size(32))
    #expect(app.scheme("0.mlp.gate_proj")?.sparsity != nil)
    #expect(app.scheme("1.mlp.gate_proj")?.sparsity == nil)
    app.command("keep down_proj")
    #expect(app.scheme("2.mlp.down_proj") == .keep)
    app.command("bits 4 no-such")
    #expect(app.screen.contains("No layer is called \"no-such\""))
    app.press("Esc")
    app.command("bits 4 q_proj re:(")
    #expect(app.scheme("0.self_attn.q_proj") == .keep)
  }

  @Test func aDigitSetsBitsAndShowsTheBytesInTheSameFrame() {
    var app = App()
    app.press("j", "j", "4")
    #expect(app.scheme("0.self_attn.q_proj")?.quantization?.bits == 4)
    #expect(app.row("      q_proj").contains("~176 KB"))
    #expect(app.commands.contains { if case .setPlan = $0 { true } else { false } })
  }

  @Test func aSampledReportGetsATildeAndAnExactOneNone() {
    var app = App()
    app.press("j", "j", "4")
    #expect(app.row("      q_proj").contains("…"))
    app.report("model.layers.0.self_attn.q_proj", .sampled(rows: 32))
    #expect(app.row("      q_proj").contains("~21.5"))
    #expect(app.screen.contains("~21.5 ±0.4 dB"))
    app.report("model.layers.0.self_attn.q_proj")
    #expect(app.row("      q_proj").contains("  21.5") && !app.row("      q_proj").contains("~"))
  }

  @Test func aSampledReportNeverReplacesAnExactOne() {
    var app = App()
    app.press("j", "j", "4")
    app.report("model.layers.0.self_attn.q_proj", sqnr: 21.5)
    app.report("model.layers.0.self_attn.q_proj", .sampled(rows: 8), sqnr: 19)
    #expect(app.state.model?.currentReport(1)?.error.sqnr == 21.5)
  }

  @Test func aReportOfAnEarlierSchemeIsNotShown() {
    var app = App()
    app.press("j", "j", "4")
    guard let model = app.state.model else { return }
    let late = LayerReport.synthetic("model.layers.0.self_attn.q_proj", in: model)
    app.press("3")
    app.send(.report(late))
    #expect(app.state.model?.currentReport(1) == nil)
    app.report("model.layers.0.self_attn.q_proj", sqnr: 15)
    app.send(.report(late))
    #expect(app.state.model?.currentReport(1)?.error.sqnr == 15)
  }

  @Test func changesMarkedLayersTogether() {
    var app = App()
    app.press("j", "j", "*", "3")
    for block in 0..<3 {
      #expect(app.scheme("\(block).self_attn.q_proj")?.quantization?.bits == 3)
    }
    #expect(app.scheme("0.self_attn.k_proj") == .keep)
    #expect(app.state.history.past.count == 1)
  }

  @Test func aBlockUnderTheCursorIsAllItsLayers() {
    var app = App()
    app.press("j", "5")
    #expect(app.scheme("0.mlp.down_proj")?.quantization?.bits == 5)
    #expect(app.scheme("1.mlp.down_proj") == .keep)
  }

  @Test func plansStayReadable() {
    var app = App()
    app.press("a", "4")
    #expect(app.state.history.current.rules.map(\.layers) == [["*"]])
    app.press("Esc")
    app.command("filter down_proj")
    app.press("a", "6")
    #expect(app.state.history.current.rules.last?.layers == ["*.down_proj"])
    app.press("8")
    #expect(app.state.history.current.rules.count == 2)
    app.press("Esc", "Esc", "g", "g", "j", "2")
    #expect(app.state.history.current.rules.last?.layers == ["model.layers.0.*"])
  }

  @Test func stepsBits() {
    var app = App()
    app.press("j", "j", "[")
    #expect(app.scheme("0.self_attn.q_proj")?.quantization?.bits == 8)
    app.press("[", "[", "]")
    #expect(app.scheme("0.self_attn.q_proj")?.quantization?.bits == 7)
    app.press("]", "]", "]")
    #expect(app.scheme("0.self_attn.q_proj")?.quantization?.bits == 8)
    app.press("0")
    #expect(app.scheme("0.self_attn.q_proj") == .keep)
  }

  @Test func undoAndRedoGoThroughEveryChange() {
    var app = App()
    app.press("j", "j", "4", "3")
    app.command("sparsity 50%")
    let last = app.state.history.current
    app.press("u")
    #expect(app.scheme("0.self_attn.q_proj")?.sparsity == nil)
    app.press("z")
    #expect(app.scheme("0.self_attn.q_proj")?.quantization?.bits == 4)
    app.press("u")
    #expect(app.state.history.isSaved)
    app.press("u")
    #expect(app.state.notice?.text == "Nothing to undo")
    app.press("ctrl-r", "Z", "ctrl-r")
    #expect(app.state.history.current == last)
    #expect(app.commands.last { if case .setPlan = $0 { true } else { false } } == .setPlan(last))
  }

  @Test func theSameBitsAgainChangeNothing() {
    var app = App()
    app.press("j", "j", "4", "4")
    #expect(app.state.history.past.count == 1)
  }

  @Test func offersOnlyGroupSizesThatDivide() {
    var app = App()
    app.press("j", "j", "4", "G")
    #expect(app.state.line?.completions.map(\.text) == ["16", "32", "64", "channel"])
    app.type("128")
    app.press("Enter")
    #expect(app.state.line?.flaw?.contains("16, 32, 64, channel") == true)
    #expect(app.scheme("0.self_attn.q_proj")?.quantization?.group == .size(64))
    app.press("ctrl-u")
    app.type("ch")
    app.press("Tab", "Enter")
    #expect(app.scheme("0.self_attn.q_proj")?.quantization?.group == .channel)
    #expect(app.state.line == nil)
  }

  @Test func aKeptLayerHasNoGroup() {
    var app = App()
    app.press("j", "j", "G")
    app.type("32")
    app.press("Enter")
    #expect(app.state.line?.flaw?.contains("set bits first") == true)
  }

  @Test func whereTheUsualGroupDoesNotFitOneThatDoesIsTaken() {
    var app = App(.synthetic(hidden: 9 * 48))
    app.press("j", "j", "4")
    #expect(app.scheme("0.self_attn.q_proj")?.quantization?.group == .size(16))
  }

  @Test(arguments: [
    ("50%", SparsityPattern.unstructured(ratio: 0.5)), ("0.3", .unstructured(ratio: 0.3)),
    ("2:4", .structured(kept: 2, of: 4)),
  ])
  func sparsity(_ text: String, _ pattern: SparsityPattern) {
    var app = App()
    app.press("j", "j", "s")
    app.type(text)
    app.press("Enter")
    #expect(app.scheme("0.self_attn.q_proj")?.sparsity?.pattern == pattern)
    app.command("sparsity none")
    #expect(app.scheme("0.self_attn.q_proj")?.sparsity == nil)
  }

  @Test(arguments: ["half", "1.5", "4:2", "-1", "0:4", "2:5"])
  func refusesSparsity(_ text: String) {
    var app = App()
    app.press("j", "j")
    app.command("sparsity \(text)")
    #expect(app.state.line?.flaw != nil)
    #expect(app.state.history.past.isEmpty)
  }

  @Test func methodWords() {
    var app = App()
    app.press("j", "j", "4", "m")
    app.type("mse asym")
    app.press("Enter")
    let scheme = app.scheme("0.self_attn.q_proj")?.quantization
    #expect(scheme?.range == .mse)
    #expect(scheme?.isSymmetric == false)
    #expect(app.row("      q_proj").contains("rtn mz"))
  }

  @Test func aPlanThatTheEngineRefusesIsTakenBack() {
    var app = App()
    app.press("j", "j", "4")
    app.send(.planRefused(reason: "no"))
    #expect(app.scheme("0.self_attn.q_proj") == .keep)
    #expect(app.state.notice?.kind == .failure)
  }

  @Test func theBarCountsEverything() {
    var app = App()
    let before = app.state.model?.total
    #expect(before?.bytes == app.state.model?.description.tensorBytes)
    app.press("a", "4")
    let total = app.state.model?.total
    let layers = app.state.model?.sizes.reduce(0) { $0 + $1.total } ?? 0
    let norms = 7 * 576 * 2
    #expect(total?.bytes == layers + norms)
  }
}
