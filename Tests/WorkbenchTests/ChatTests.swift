import Checkpoints
import Compression
import Engine
import Terminal
import Testing

@testable import Workbench

/// Turns, several lines, files, and what is known of answers.
@Suite struct ChatTests {
  private func token(
    _ side: AnswerSide, _ index: Int, _ text: String, id: Int, job: Int = 1
  ) -> EngineEvent {
    .token(
      JobID(job),
      GeneratedToken(side: side, index: index, id: id, text: text, tokensPerSecond: 42))
  }

  /// The workbench after one turn, whose answers part at the second token.
  private func answered(columns: Int = 120, rows: Int = 36) -> App {
    var app = App(.synthetic(blocks: 4), columns: columns, rows: rows)
    app.press("p")
    app.type("Tell me")
    app.press("Enter")
    app.answer(job: 1)
    app.clearEffects()
    return app
  }

  private var turn: ChatTurn {
    ChatTurn(
      prompt: "Tell me", answers: [.reference: "The sea", .compressed: "The lake"])
  }

  @Test func theNextPromptGoesOnFromEachSidesAnswer() {
    var app = answered()
    app.type("More")
    app.press("Enter")
    #expect(
      app.commands.last == .generate(JobID(2), GenerationRequest(prompt: "More", turns: [turn])))
    #expect(app.state.conversation.exchanges.map(\.prompt) == ["Tell me", "More"])
    #expect(app.screen.contains("> Tell me") && app.screen.contains("> More"))
    #expect(app.screen.contains("parted in turn 1"))
  }

  @Test func againAnswersTheLastPromptAnew() {
    var app = answered()
    app.press("ctrl-r")
    #expect(app.commands.last == .generate(JobID(2), GenerationRequest(prompt: "Tell me")))
    #expect(app.state.conversation.exchanges.count == 1)
    #expect(app.state.conversation.answer(.compressed).tokens.isEmpty)
  }

  @Test func sampledAnswersAreOthersUnlessThePlanIs() {
    var app = App()
    app.command("set temperature 0.8")
    app.press("p")
    app.type("Tell me")
    app.press("Enter")
    app.answer(job: 1)
    app.press("Enter")
    #expect(app.state.conversation.settings.sampling.seed == 1)
    app.answer(job: 2)
    app.press("Esc", "4", "p", "ctrl-r")
    #expect(app.state.conversation.settings.sampling.seed == 1)
  }

  @Test func stoppedAnswersStayAndGoOn() {
    var app = App()
    app.press("p")
    app.type("Tell me")
    app.press("Enter")
    app.send(token(.reference, 0, "The", id: 1))
    app.send(token(.compressed, 0, "The", id: 1))
    app.send(token(.compressed, 1, " lake", id: 3))
    app.clearEffects()
    app.press("ctrl-s")
    #expect(app.commands == [.cancel(JobID(1))])
    app.send(.jobEnded(JobID(1), .cancelled))
    #expect(app.state.conversation.answer(.compressed).text == "The lake")
    app.press("ctrl-o")
    var request = GenerationRequest(prompt: "Tell me")
    request.beginnings = [.reference: [1], .compressed: [1, 3]]
    #expect(app.commands.last == .generate(JobID(2), request))
    app.send(token(.reference, 1, " sea", id: 2, job: 2))
    #expect(app.state.conversation.parting == 1)
    #expect(app.state.conversation.answer(.reference).text == "The sea")
  }

  @Test func completeAnswersDoNotGoOn() {
    var app = answered()
    app.press("ctrl-o")
    #expect(app.commands.isEmpty)
    #expect(app.state.notice?.text.contains("end") == true)
  }

  @Test func aNewChatKnowsNothingOfTheOneBefore() {
    var app = answered()
    app.press("ctrl-n")
    app.type("Anew")
    app.press("Enter")
    #expect(app.commands.last == .generate(JobID(2), GenerationRequest(prompt: "Anew")))
    app.press("Esc")
    app.command("older")
    #expect(app.state.conversation.asked == "Tell me")
    app.command("newer")
    #expect(app.state.conversation.asked == "Anew")
  }

  @Test func theSystemPromptComesBeforeAllTurns() {
    var app = App()
    app.command("system Be brief.")
    app.command("prompt Tell me about the sea")
    var request = GenerationRequest(prompt: "Tell me about the sea", system: "Be brief.")
    #expect(app.commands.contains(.generate(JobID(1), request)))
    #expect(app.screen.contains("system"))
    app.press("Esc")
    app.command("system off")
    app.press("p", "ctrl-n")
    app.type("x")
    app.press("Enter")
    request = GenerationRequest(prompt: "x")
    #expect(app.commands.last == .generate(JobID(2), request))
  }

  @Test func aPromptMayHaveSeveralLines() {
    var app = App()
    app.press("p")
    app.type("one")
    app.press("alt-Enter")
    app.type("two")
    app.press("ctrl-j")
    app.type("three")
    #expect(app.state.conversation.editor.text == "one\ntwo\nthree")
    #expect(app.screen.contains("> one") && app.screen.contains("  three"))
    app.press("Up", "Up", "Home")
    app.type("0")
    app.press("Down", "End")
    app.type("2")
    #expect(app.state.conversation.editor.text == "0one\ntwo2\nthree")
    app.press("Up", "Up")
    #expect(app.state.conversation.editor.text == "0one\ntwo2\nthree")
    app.press("Enter")
    #expect(app.state.conversation.asked == "0one\ntwo2\nthree")
  }

  @Test func pastedLinesStayLines() {
    var app = App()
    app.press("p")
    app.handle(.input(.paste("a\n\nb")))
    #expect(app.state.conversation.editor.text == "a\n\nb")
  }

  @Test(
    arguments: [
      ("@notes.txt", "notes.txt", true), ("./a b", nil, nil), ("/tmp/x", "/tmp/x", true),
      ("notes.txt", "notes.txt", false), ("Hello there.", nil, nil), ("Hello", nil, nil),
    ] as [(String, String?, Bool?)])
  func whatNamesAFile(_ text: String, _ path: String?, _ isCertain: Bool?) {
    #expect(PromptWords.file(of: text)?.path == path)
    #expect(PromptWords.file(of: text)?.isCertain == isCertain)
  }

  @Test func aFileIsAskedAsOnePrompt() {
    var app = App()
    app.command("prompt notes.txt")
    #expect(app.effects.contains(.readPrompt(path: "notes.txt", orElse: "notes.txt")))
    app.handle(.file(.promptRead(path: "notes.txt", "A\nlong\nnote")))
    #expect(
      app.commands.last == .generate(JobID(1), GenerationRequest(prompt: "A\nlong\nnote")))
    app.handle(.file(.promptIsText("e.g.")))
    #expect(app.state.conversation.asked == "e.g.")
  }

  // MARK: The Chat screen

  private func reading(_ index: Int, _ text: String, _ other: String) -> TokenReading {
    func expectation(_ first: String, _ second: String) -> TokenReading.Expectation {
      .init(
        probability: 0.5, rank: 1,
        alternatives: [
          .init(id: first.count, text: first, probability: 0.6),
          .init(id: second.count + 100, text: second, probability: 0.25),
        ])
    }
    return TokenReading(
      index: index, id: text.count, text: text, reference: expectation(text, " x"),
      compressed: expectation(other, " y"), divergence: 0.25)
  }

  /// The Chat screen at the token where the answers part.
  private func atParting(columns: Int = 120, rows: Int = 36) -> App {
    var app = answered(columns: columns, rows: rows)
    app.press("ctrl-g")
    app.send(.tokensRead(JobID(2), [reading(0, "The", "The"), reading(1, " lake", " ocean")]))
    app.send(.jobEnded(JobID(2), .finished))
    return app
  }

  @Test func aKeyJumpsToTheParting() {
    let app = atParting()
    #expect(
      app.commands.last
        == .readTokens(
          JobID(2),
          ReadingRequest(
            conversation: GenerationRequest(prompt: "Tell me"), side: .compressed, answer: [1, 3])))
    #expect(app.state.screen == .chat && app.state.reading.token == 1)
    #expect(app.row("token 2 of 2").contains("\" lake\""))
    #expect(app.screen.contains("60.0%") && app.screen.contains("\" ocean\""))
    #expect(app.screen.contains("the models differ"))
  }

  @Test func tokensAreGoneThrough() {
    var app = atParting()
    app.press("h")
    #expect(app.row("token 1 of 2").contains("\"The\""))
    app.press("n")
    #expect(app.state.reading.token == 1)
    app.press("l")
    #expect(app.state.reading.token == 1)
    app.clearEffects()
    app.press("s")
    guard case .readTokens(_, let request)? = app.commands.first else {
      Issue.record("the other answer is not read")
      return
    }
    #expect(request.side == .reference && request.answer == [1, 2])
  }

  @Test func aClickOnATokenLooksAtIt() {
    var app = answered()
    app.press("F8")
    app.click(on: "The lake")
    #expect(app.state.reading.view == .tokens && app.state.reading.token == 0)
    app.click(on: "lake")
    #expect(app.state.reading.token == 1)
    app.click(on: " blocks \u{2500}")
    #expect(app.state.reading.view == .blocks)
  }

  /// The Chat screen with four blocks, of which two add most.
  private func parted(columns: Int = 120, rows: Int = 36) -> App {
    var app = answered(columns: columns, rows: rows)
    app.press("F9")
    tell(&app, job: 2)
    return app
  }

  private func tell(_ app: inout App, job: Int) {
    for (block, divergence) in [0.01, 0.11, 0.12, 0.2].enumerated() {
      app.send(
        .blockParted(
          JobID(job),
          BlockParting(
            place: .block(block), relativeError: 0.02 * Double(block + 1), ownError: 0.02,
            divergence: divergence, parting: block == 0 ? nil : 1)))
    }
    app.send(
      .blockParted(
        JobID(job),
        BlockParting(
          place: .head, relativeError: nil, ownError: nil, divergence: 0.2, parting: 1)))
    app.send(.jobEnded(JobID(job), .finished))
  }

  @Test func blocksTellWhatTheyAdd() {
    let app = parted()
    guard case .partByBlock(_, let request)? = app.commands.last else {
      Issue.record("nothing is measured")
      return
    }
    #expect(request.side == .reference && request.answer == [1, 2])
    #expect(app.row("block 1", "token 2").contains("+0.100"))
    #expect(app.row("all, with head").contains("0.200"))
    #expect(app.state.reading.worstBlocks == [1, 3])
  }

  @Test func theWorstBlocksAreMarkedInTheTable() {
    var app = parted()
    app.press("a", "Enter")
    #expect(app.state.screen == .layers && app.state.pane == .table)
    let blocks = Set(app.state.table.marks.compactMap { app.state.model?.layers[$0].block })
    #expect(blocks == [1, 3])
    #expect(app.state.table.row == .block(1))
  }

  @Test func moreBitsForABlockMeasureAnew() {
    var app = parted()
    app.press("F2", "Esc", "a", "4", "F8", "Esc")
    tell(&app, job: 3)
    app.clearEffects()
    app.press("j", "]")
    #expect(app.scheme("layers.1.mlp.down_proj")?.quantization?.bits == 5)
    #expect(app.scheme("layers.0.mlp.down_proj")?.quantization?.bits == 4)
    #expect(app.commands.contains { if case .partByBlock = $0 { true } else { false } })
  }

  @Test func promptsOfAFileAreAskedOneByOne() {
    var app = App()
    app.command("prompts list.txt")
    #expect(app.effects.contains(.readPrompts(path: "list.txt")))
    app.handle(.file(.promptsRead(path: "list.txt", ["one", "two"])))
    #expect(app.commands.last == .generate(JobID(1), GenerationRequest(prompt: "one")))
    app.answer(job: 1)
    #expect(app.commands.last == .generate(JobID(2), GenerationRequest(prompt: "two")))
    app.send(token(.reference, 0, "Yes", id: 1, job: 2))
    app.send(token(.compressed, 0, "Yes", id: 1, job: 2))
    app.send(.jobEnded(JobID(2), .finished))
    #expect(app.row("1  one").contains("token 2") && app.row("2  two").contains("same"))
    #expect(app.screen.contains("1 of 2 part"))
    app.press("Enter")
    #expect(app.state.conversation.asked == "one" && app.state.reading.view == .tokens)
  }

  @Test func aFileOfPromptsIsStopped() {
    var app = App()
    app.handle(.file(.promptsRead(path: "list.txt", ["one", "two"])))
    app.clearEffects()
    app.press("ctrl-s")
    #expect(app.commands == [.cancel(JobID(1))])
    app.send(.jobEnded(JobID(1), .cancelled))
    #expect(app.commands.count == 1 && !app.state.batch.isRunning)
  }

  @Test(arguments: [(80, 24), (120, 36), (200, 50)])
  func looks(_ columns: Int, _ rows: Int) throws {
    try expectGolden(
      atParting(columns: columns, rows: rows).screen, "chat-tokens-\(columns)x\(rows)")
    try expectGolden(parted(columns: columns, rows: rows).screen, "chat-blocks-\(columns)x\(rows)")
    var app = answered(columns: columns, rows: rows)
    app.press("F8")
    try expectGolden(app.screen, "chat-\(columns)x\(rows)")
    app.handle(.file(.promptsRead(path: "list.txt", ["Tell me about the sea.", "And the land?"])))
    app.answer(job: 2)
    try expectGolden(app.screen, "chat-prompts-\(columns)x\(rows)")
  }
}

extension App {
  /// Both models answer two tokens, of which the second differs.
  fileprivate mutating func answer(job: Int) {
    let id = JobID(job)
    for (side, text, other) in [(AnswerSide.reference, " sea", 2), (.compressed, " lake", 3)] {
      for (index, token) in [("The", 1), (text, other)].enumerated() {
        send(
          .token(
            id,
            GeneratedToken(
              side: side, index: index, id: token.1, text: token.0, tokensPerSecond: 42)))
      }
      send(.answerEnded(id, side, .endOfText))
    }
    send(.jobEnded(id, .finished))
  }
}
