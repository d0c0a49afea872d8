import Engine
import Serving
import Terminal
import Testing

@testable import Workbench

@Suite struct ServeTests {
  private let url = "http://localhost:8000"

  /// A workbench that has found a server.
  private func serving(columns: Int = 120, rows: Int = 36) throws -> App {
    var app = App(columns: columns, rows: rows)
    app.command("serve \(url)")
    app.send(.serverFound(JobID(1), try ServerAddress(url, model: "models/tiny.gguf")))
    app.send(.jobEnded(JobID(1), .finished))
    return app
  }

  private func token(_ side: AnswerSide, _ index: Int, _ text: String) -> EngineEvent {
    .token(
      JobID(2),
      GeneratedToken(
        side: side, index: index, id: side == .served ? nil : text.utf8.reduce(0) { $0 + Int($1) },
        text: text, tokensPerSecond: 42))
  }

  private func asked(columns: Int = 120, rows: Int = 36) throws -> App {
    var app = try serving(columns: columns, rows: rows)
    app.press("p")
    app.type("Tell me")
    app.press("Enter")
    return app
  }

  @Test func serveFindsTheServerAndSaysSo() throws {
    var app = App()
    app.command("serve \(url)/v1/ some model")
    let address = try ServerAddress(url, model: "some model")
    #expect(app.commands.last == .findServer(JobID(1), address))
    #expect(app.state.conversation.settings.server == address)
    app.send(.serverFound(JobID(1), address))
    #expect(app.state.notice?.text == "\(url) serves some model; it answers prompts too")
  }

  @Test(arguments: ["localhost:8000", "ftp://x", "http://a:b@host"])
  func refusesWhatIsNoServer(_ text: String) {
    var app = App()
    app.command("serve \(text)")
    #expect(app.state.line?.flaw?.contains("URL") == true)
    #expect(app.state.conversation.settings.server == nil)
    #expect(app.commands.isEmpty)
  }

  @Test func aServerOfTheCommandLineIsLookedForOnceAModelIsOpen() throws {
    var app = App(nil)
    let address = try ServerAddress(url)
    app.state.conversation.use(address)
    app.send(.opened(.synthetic()))
    #expect(app.commands.contains(.findServer(JobID(1), address)))
  }

  @Test func promptsGoToTheServerToo() throws {
    let app = try asked()
    guard case .generate(JobID(2), let request)? = app.commands.last else {
      Issue.record("nothing was asked")
      return
    }
    #expect(request.server == (try ServerAddress(url)))
    #expect(request.sides == ModelSide.allCases)
  }

  @Test func theServersAnswerHasAColumn() throws {
    var app = try asked()
    for (index, word) in ["The", " sea", " is"].enumerated() {
      for side in AnswerSide.allCases { app.send(token(side, index, word)) }
    }
    app.send(token(.compressed, 3, " blue"))
    app.send(token(.served, 3, " black"))
    #expect(app.row("reference", "compressed", "served tiny.gguf").contains("42 tok/s"))
    #expect(app.row("The sea is blue").contains("The sea is black"))
    // They part inside a word, which a server's pieces need not end at.
    #expect(app.screen.contains("served at character 14"))
    let place = try #require(app.place(of: "The sea is black"))
    let styles = app.state.theme.palette(at: .trueColor)
    #expect(app.frame[place.row, place.column + 12].style == styles[.text])
    #expect(app.frame[place.row, place.column + 13].style == styles[.parted])
    #expect(app.state.conversation.parting == nil)
  }

  @Test func aFailureStandsInTheServersColumn() throws {
    var app = try asked()
    app.send(token(.served, 0, "one"))
    app.send(.answerFailed(JobID(2), .served, reason: "\(url): HTTP 500: out of memory"))
    #expect(app.screen.contains("HTTP 500: out of"))
    #expect(app.state.notice?.kind == .failure)
    #expect(app.state.conversation.isRunning)
    let place = try #require(app.place(of: "http://localhost:8000: HTTP"))
    let styles = app.state.theme.palette(at: .trueColor)
    #expect(app.frame[place.row, place.column].style == styles[.error])
    // The next prompt begins afresh.
    app.press("Enter")
    #expect(app.state.conversation.answer(.served).failure == nil)
  }

  @Test func aServerThatIsNotThereIsTold() {
    var app = App()
    app.command("serve \(url)")
    app.send(.jobEnded(JobID(1), .failed("\(url): nobody answers there")))
    #expect(app.state.notice?.text == "\(url): nobody answers there")
    #expect(app.screen.contains("nobody answers"))
    // It may be started later.
    #expect(app.state.conversation.settings.server != nil)
  }

  @Test func offEndsIt() throws {
    var app = try asked()
    app.press("Esc")
    app.clearEffects()
    app.command("serve off")
    #expect(app.commands == [.cancel(JobID(2))])
    #expect(!app.screen.contains("served"))
    app.press("p", "Enter")
    guard case .generate(_, let request)? = app.commands.last else { return }
    #expect(request.server == nil)
  }

  @Test func offLeavesWhatTheServerNoLongerTakesPartIn() throws {
    var app = try asked()
    app.send(.answerEnded(JobID(2), .served, .endOfText))
    app.press("Esc")
    app.clearEffects()
    app.command("serve off")
    #expect(app.commands.isEmpty)
  }

  @Test func cancelReachesTheSearch() {
    var app = App()
    app.command("serve \(url)")
    app.press("ctrl-c")
    #expect(app.commands.last == .cancel(JobID(1)))
  }

  @Test func completionsOfferServers() throws {
    var app = App()
    app.press(":")
    app.type("serve ")
    #expect(
      app.state.line?.completions.map(\.label) == [
        "http://localhost:8000", "http://localhost:8080",
      ])
    app = try serving()
    app.press(":")
    app.type("serve ")
    #expect(app.state.line?.completions.map(\.label) == [url, "off"])
  }

  @Test func copyTakesAllAnswers() throws {
    var app = try asked()
    app.send(token(.served, 0, "wet"))
    app.clearEffects()
    app.press("ctrl-y")
    #expect(
      app.effects.contains(
        .copy("# Tell me\n\n## reference\n\n\n## compressed\n\n\n## served\nwet")))
  }

  /// Columns of answers beside each other, and rows of them, by the width of the pane.
  @Test(arguments: [(118, [3]), (86, [3]), (80, [2, 1]), (57, [2, 1]), (50, [1, 1, 1])])
  func answersFold(columns: Int, rows: [Int]) throws {
    let inside = Rect(column: 1, row: 1, columns: columns, rows: 12)
    var conversation = Conversation()
    conversation.use(try ServerAddress("http://localhost:8000"))
    let layout = PromptLayout(inside: inside, conversation: conversation)
    let byRow = Dictionary(grouping: layout.sides, by: \.heading.row)
    #expect(byRow.keys.sorted().map { byRow[$0]?.count } == rows)
    #expect(layout.sides.map(\.side) == AnswerSide.allCases)
    for side in layout.sides {
      #expect(side.heading.column > 1 && side.text.endColumn <= columns)
      #expect(side.text.rows >= 2)
    }
  }
}

@Suite struct TextComparisonTests {
  private func parting(
    _ first: [String], _ second: [String], ends: Bool? = nil
  ) -> TextComparison {
    var comparison = TextComparison()
    for text in first { comparison.append(text, toFirst: true) }
    for text in second { comparison.append(text, toFirst: false) }
    if let ends { comparison.end(first: ends) }
    return comparison
  }

  @Test func piecesDoNotMatter() {
    #expect(parting(["The se", "a is"], ["The", " sea", " is"]).parting == nil)
    #expect(parting(["The se", "a is"], ["The", " sea", " was"]).parting == 8)
    #expect(parting([" ", " The"], ["The"]).parting == nil)
    #expect(parting([], ["The"]).parting == nil)
  }

  @Test func theEndOfOneParts() {
    #expect(parting(["The"], ["The sea"], ends: true).parting == 3)
    #expect(parting(["The"], ["The sea"], ends: false).parting == nil)
    #expect(parting(["The"], ["The"], ends: true).parting == nil)
    #expect(parting([], ["a"], ends: true).partingCharacter == 1)
  }

  @Test func charactersAreWhole() {
    // ö and ä share their first byte.
    let comparison = parting(["wö"], ["wä"])
    #expect(comparison.parting == 1 && comparison.partingCharacter == 2)
    #expect(parting(["🌊🌊"], ["🌊🌋"]).partingCharacter == 2)
  }
}
