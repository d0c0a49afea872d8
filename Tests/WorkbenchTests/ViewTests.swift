import Checkpoints
import Compression
import Engine
import Serving
import Terminal
import Testing

@testable import Workbench

@Suite struct ViewTests {
  /// A session in the middle: layers changed, one reported on, both models answering.
  private func session(_ columns: Int, _ rows: Int, glyphs: Glyphs = .unicode) -> App {
    var app = App(
      .synthetic(blocks: 4, name: "Tiny-135M"), columns: columns, rows: rows, glyphs: glyphs)
    app.command("filter proj")
    app.press("a", "4", "Esc", "Esc", "g", "g")
    app.command("filter down")
    app.press("a", "6", "Esc", "Esc", "g", "g", "j", "j", "j")
    app.command("sparsity 2:4")
    app.command("group 32")
    for layer in app.state.model?.layers.map(\.name) ?? [] where layer.contains(".0.") {
      app.report(layer)
    }
    app.report("model.layers.1.mlp.down_proj", .sampled(rows: 64), sqnr: 33.2)
    app.send(.jobStarted(JobID(-1), .compress, title: "compress 28 layers"))
    app.send(.jobProgress(JobID(-1), JobProgress(completed: 12, total: 28, secondsLeft: 41)))
    answer(&app)
    app.state.notice = nil
    return app
  }

  private func answer(_ app: inout App) {
    app.command("prompt Tell me about the sea.")
    app.press("Esc")
    app.state.lowerPane = .inspector
    let start = ["The", " sea", " is", " a", " vast", " body", " of"]
    let reference =
      start + [" salt", " water", " that", " covers", " most", " of", " the", " planet", "."]
    let compressed = start + [" water", " that", " is", " full", " of", " fish", "."]
    for (side, words) in [(AnswerSide.reference, reference), (.compressed, compressed)] {
      for (index, word) in words.enumerated() {
        let id = word.utf8.reduce(7) { $0 &* 31 &+ Int($1) }
        app.send(
          .token(
            JobID(1),
            GeneratedToken(
              side: side, index: index, id: id, text: word,
              tokensPerSecond: side == .reference ? 58 : 143)))
      }
    }
  }

  @Test(arguments: [(80, 24), (120, 36), (200, 50), (60, 16), (70, 30), (100, 24), (80, 44)])
  func layers(columns: Int, rows: Int) throws {
    try expectGolden(session(columns, rows).screen, "layers-\(columns)x\(rows)")
  }

  @Test func tooSmall() throws {
    try expectGolden(session(40, 10).screen, "layers-40x10")
  }

  @Test func ascii() throws {
    let screen = session(120, 36, glyphs: .ascii).screen
    #expect(screen.unicodeScalars.allSatisfy { $0.isASCII })
    try expectGolden(screen, "layers-ascii")
  }

  @Test func blocksPlot() throws {
    var app = session(120, 36)
    app.command("set plot blocks")
    try expectGolden(app.screen, "layers-blocks")
  }

  @Test func promptInANarrowScreen() throws {
    var app = session(80, 24)
    app.press("p")
    try expectGolden(app.screen, "prompt-80x24")
  }

  /// The session with a server that answers, too, and parts from the compressed model later than the reference does.
  private func served(_ columns: Int, _ rows: Int, glyphs: Glyphs = .unicode) throws -> App {
    var app = session(columns, rows, glyphs: glyphs)
    let server = try ServerAddress("http://localhost:8000")
    app.state.conversation.use(server)
    app.send(
      .serverFound(JobID(9), try ServerAddress(server.base, model: "models/tiny-q4.gguf")))
    let words = [
      "The sea", " is a vast", " body of", " water", " that", " is", " full", " of", " foam.",
    ]
    for (index, text) in words.enumerated() {
      app.send(
        .token(
          JobID(1),
          GeneratedToken(side: .served, index: index, id: nil, text: text, tokensPerSecond: 71)))
    }
    app.press("p")
    return app
  }

  @Test(arguments: [(80, 24), (120, 36), (200, 50), (60, 16), (100, 24)])
  func servedAnswers(columns: Int, rows: Int) throws {
    try expectGolden(try served(columns, rows).screen, "served-\(columns)x\(rows)")
  }

  @Test func servedAnswersInASCII() throws {
    let screen = try served(120, 36, glyphs: .ascii).screen
    #expect(screen.unicodeScalars.allSatisfy { $0.isASCII })
  }

  @Test(arguments: ["error", "channels"])
  func inspectorTabs(_ tab: String) throws {
    var app = session(120, 36)
    app.command("inspect \(tab)")
    try expectGolden(app.screen, "inspector-\(tab)")
  }

  @Test func blockInTheInspector() throws {
    var app = session(120, 36)
    app.press("g", "g", "j")
    try expectGolden(app.screen, "inspector-block")
  }

  @Test func help() throws {
    var app = session(120, 36)
    app.press("?")
    try expectGolden(app.screen, "help")
  }

  @Test func fieldWithCompletions() throws {
    var app = session(120, 36)
    app.press("G")
    try expectGolden(app.screen, "field-group")
  }

  @Test func palette() throws {
    var app = session(80, 24)
    app.press("ctrl-p")
    app.type("fold")
    try expectGolden(app.screen, "palette")
  }

  @Test func everySizeDrawsWithoutOverlap() {
    var app = session(120, 36)
    for columns in stride(from: 1, through: 210, by: 7) {
      for rows in stride(from: 1, through: 60, by: 5) {
        app.resize(columns, rows)
        #expect(app.frame.size == Size(columns: columns, rows: rows))
        let layout = ScreenLayout(app.state, size: app.state.size)
        for (index, slot) in layout.slots.enumerated() {
          #expect(slot.rect.intersection(layout.body) == slot.rect)
          for other in layout.slots[..<index] {
            #expect(slot.rect.intersection(other.rect).isEmpty)
          }
        }
      }
    }
  }

  @Test func columnsDoNotJumpWhenFiguresChange() {
    var app = session(120, 36)
    let before = app.row("layer", "bits", "dB")
    app.press("a", "2")
    #expect(app.row("layer", "bits", "dB") == before)
  }

  @Test func theCursorIsWhereTheFocusIs() {
    var app = session(120, 36)
    #expect(app.frame.cursor?.row == app.place(of: "    k_proj")?.row)
    #expect(app.frame.showsCursor == false)
    app.press("p")
    #expect(app.frame.showsCursor)
    let rows = (0..<36).filter { app.frame.row($0).contains("│ > ") }
    // Prompts that were asked stand above the field.
    #expect(app.frame.cursor?.row == rows.last)
  }

  @Test func withoutColourTheSelectionIsReversed() {
    var app = session(120, 36)
    app.state.depth = .none
    let frame = app.frame
    let row = frame.cursor?.row ?? 0
    #expect(frame[row, 6].style.attributes.contains(.reverse))
    let colours = Set(frame.cells.flatMap { [$0.style.foreground, $0.style.background] })
    #expect(colours == [.terminalDefault])
  }
}
