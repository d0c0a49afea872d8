import Engine
import Tensors
import Terminal
import Testing

@testable import Workbench

@Suite struct PromptTests {
  private func asking(_ prompt: String = "Tell me", columns: Int = 120, rows: Int = 36) -> App {
    var app = App(columns: columns, rows: rows)
    app.press("p")
    app.type(prompt)
    app.press("Enter")
    return app
  }

  private func token(_ side: AnswerSide, _ index: Int, _ text: String, id: Int? = nil)
    -> EngineEvent
  {
    .token(
      JobID(1),
      GeneratedToken(
        side: side, index: index, id: id ?? text.hashValue, text: text, tokensPerSecond: 42))
  }

  @Test func enterAsksBothModels() {
    let app = asking("Tell me about the sea.")
    var request = GenerationRequest(prompt: "Tell me about the sea.")
    request.sides = ModelSide.allCases
    #expect(app.commands.last == .generate(JobID(1), request))
    #expect(app.state.conversation.isRunning)
  }

  @Test func lettersAreTypedAndNotCommands() {
    var app = App()
    app.press("p")
    app.type("q4u?:")
    #expect(app.state.conversation.editor.text == "q4u?:")
    #expect(app.state.history.isSaved)
    #expect(app.state.line == nil && app.state.overlay == nil)
  }

  @Test func answersStreamSideBySide() {
    var app = asking()
    for (index, word) in ["The", " sea", " is"].enumerated() {
      app.send(token(.reference, index, word, id: index))
      app.send(token(.compressed, index, word, id: index))
    }
    app.send(token(.reference, 3, " blue", id: 10))
    app.send(token(.compressed, 3, " green", id: 11))
    #expect(app.row("The sea is blue").contains("The sea is green"))
    #expect(app.row("compressed", "tok/s").contains("same 75%"))
    #expect(app.screen.contains("part at token 4"))
    #expect(app.state.conversation.parting == 3)
  }

  @Test func showsHowFarThePromptIsReadAndWhatTheCacheTakes() {
    var app = asking()
    app.send(.promptRead(JobID(1), .reference, tokens: 128, of: 4000))
    app.send(.promptRead(JobID(2), .compressed, tokens: 1, of: 2))
    #expect(app.screen.contains("reading 128/4000") && !app.screen.contains("reading 1/2"))
    app.send(
      .token(
        JobID(1),
        GeneratedToken(
          side: .reference, index: 0, id: 1, text: "The", tokensPerSecond: 0,
          cacheBytes: 12_500_000)))
    #expect(app.row("reference", "1 tokens").contains("KV 12.5 MB"))
    #expect(!app.screen.contains("reading"))
  }

  @Test func fromThePartingOnTokensAreUnderlined() {
    var app = asking()
    app.send(token(.reference, 0, "one", id: 1))
    app.send(token(.compressed, 0, "one", id: 1))
    app.send(token(.reference, 1, " two", id: 2))
    app.send(token(.compressed, 1, " TWO", id: 3))
    app.send(token(.compressed, 2, " three", id: 4))
    guard let same = app.place(of: "one TWO three") else {
      Issue.record("the answer is not shown")
      return
    }
    let frame = app.frame
    let styles = app.state.theme.palette(at: .trueColor)
    #expect(frame[same.row, same.column].style == styles[.text])
    #expect(frame[same.row, same.column + 5].style == styles[.parted])
    #expect(frame[same.row, same.column + 9].style == styles[.diverged])
    #expect(styles[.diverged].attributes.contains(.underline))
    #expect(styles[.parted].attributes.contains(.reverse))
  }

  @Test func anEarlyEndPartsTheAnswers() {
    var app = asking()
    app.send(token(.reference, 0, "one", id: 1))
    app.send(token(.compressed, 0, "one", id: 1))
    app.send(.answerEnded(JobID(1), .compressed, .endOfText))
    #expect(app.state.conversation.parting == nil)
    app.send(token(.reference, 1, " two", id: 2))
    #expect(app.state.conversation.parting == 1)
    #expect(app.state.conversation.sameRate == 1)
  }

  @Test func tellsWhileTheCompressedModelIsNotYetThePlans() {
    var app = asking()
    app.send(.compressed(layers: 3, of: 7))
    #expect(app.screen.contains("3/7 layers as planned"))
    app.send(.compressed(layers: 7, of: 7))
    #expect(!app.screen.contains("as planned"))
  }

  @Test func aPromptWithoutATemplateIsSaidToBeRaw() {
    var app = asking()
    #expect(!app.screen.contains("raw"))
    app.send(.promptSentRaw(JobID(1)))
    #expect(app.row("Prompt", "greedy").contains("raw: no chat template"))
    #expect(app.state.notice?.text.contains("has no chat template") == true)
    app.send(.opened(.synthetic(name: "Other")))
    #expect(!app.screen.contains("raw:"))
  }

  @Test func theMeanDivergenceIsTold() {
    var app = asking()
    for (index, divergence) in [nil, 0.02, 0.04].enumerated() {
      let token = GeneratedToken(
        side: .compressed, index: index, id: index, text: " w", tokensPerSecond: 9,
        divergence: divergence)
      app.send(.token(JobID(1), token))
    }
    #expect(app.row("compressed", "tok/s").contains("KLD 0.0300"))
  }

  @Test func anotherModelBeginsAfresh() {
    var app = asking()
    app.send(token(.reference, 0, "one", id: 1))
    app.send(.opened(.synthetic(name: "Other")))
    #expect(app.state.conversation.last == nil && !app.state.conversation.isRunning)
    #expect(app.state.conversation.history == ["Tell me"])
  }

  @Test func escapeSequencesOfTheModelAreHarmless() {
    var app = asking()
    app.send(token(.reference, 0, "a\u{1B}[31mred\u{7}", id: 1))
    #expect(!app.screen.unicodeScalars.contains("\u{1B}"))
    #expect(!app.screen.unicodeScalars.contains("\u{7}"))
  }

  @Test func tokensOfOtherJobsAreIgnored() {
    var app = asking()
    app.send(
      .token(
        JobID(99),
        GeneratedToken(side: .reference, index: 0, id: 1, text: "old", tokensPerSecond: 1)))
    #expect(!app.screen.contains("old"))
  }

  @Test func askingAgainCancelsTheRunningAnswer() {
    var app = asking()
    app.clearEffects()
    app.press("Enter")
    #expect(app.commands.first == .cancel(JobID(1)))
    #expect(app.state.conversation.job == JobID(2))
  }

  @Test func settings() {
    var app = App()
    app.command("set temperature 0.8")
    app.command("set tokens 64")
    app.command("set top-k 40")
    app.command("set seed 7")
    app.command("set raw on")
    app.command("set arithmetic fast")
    app.command("set kv-cache int8")
    let settings = app.state.conversation.settings
    #expect(settings.sampling == SamplingSettings(temperature: 0.8, topK: 40, topP: 1, seed: 7))
    #expect(settings.tokenLimit == 64 && settings.isRaw && settings.arithmetic == .fast)
    #expect(settings.cacheType == .int8)
    #expect(app.screen.contains("temperature 0.8 · top-k 40 · 64 tokens · raw · fast · KV int8"))
  }

  @Test(arguments: [
    "temperature hot", "tokens 0", "top-p 2", "nothing 1", "temperature nan", "arithmetic 8",
    "kv-cache f8",
  ])
  func refusesSettings(_ text: String) {
    var app = App()
    app.command("set \(text)")
    #expect(app.state.line?.flaw != nil)
    #expect(app.state.conversation.settings == GenerationRequest(prompt: ""))
  }

  @Test func recallsEarlierPrompts() {
    var app = asking("first")
    app.press("ctrl-u")
    app.type("draft")
    app.press("Up")
    #expect(app.state.conversation.editor.text == "first")
    app.press("Down")
    #expect(app.state.conversation.editor.text == "draft")
  }

  @Test func longAnswersFollowTheirEndAndScrollBack() {
    var app = asking(columns: 80, rows: 24)
    for index in 0..<300 { app.send(token(.reference, index, " w\(index)", id: index)) }
    #expect(app.screen.contains("w299"))
    app.press("PgUp", "PgUp", "PgUp")
    #expect(!app.screen.contains("w299"))
    for _ in 0..<50 { app.press("PgUp") }
    #expect(app.screen.contains("w0 w1"))
    for _ in 0..<99 { app.press("PgDn") }
    #expect(app.screen.contains("w299"))
  }

  @Test func anEmptyPromptAsksNothing() {
    var app = App()
    app.press("p", "Enter")
    #expect(app.commands.allSatisfy { if case .generate = $0 { false } else { true } })
  }

  @Test func theCommandLineSendsPrompts() {
    var app = App()
    app.command("prompt Hello there")
    #expect(app.state.conversation.asked == "Hello there")
  }
}
