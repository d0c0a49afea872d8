import Checkpoints
import Compression
import FoundationEssentials
import Serving
import TestSupport
import Testing

@testable import Engine

/// Answers of a server beside those of the models here; the server is fake, and speaks when it is told to.
@Suite struct ServedAnswerTests {
  private let model: TinyModel
  private let server = FakeServer()
  private let driver: Driver
  private let address: ServerAddress
  private let job = JobID(3)

  init() throws {
    model = try TinyModel()
    driver = Driver(EngineSettings(threads: 1), servers: ServerAccess(server: server))
    driver.send(.open(path: model.path))
    address = try ServerAddress("http://host:1", model: "tiny")
  }

  private func ask(
    _ sides: [ModelSide] = [], isRaw: Bool = true, sampling: SamplingSettings = SamplingSettings()
  ) {
    driver.send(
      .generate(
        job,
        GenerationRequest(
          prompt: "Tell me", isRaw: isRaw, sides: sides, server: address, tokenLimit: 12,
          sampling: sampling)))
    driver.run()
  }

  private func say(_ text: String, tokens: Int? = nil) {
    server.say(.piece(ServedPiece(text: text, tokens: tokens)))
    driver.run()
  }

  @Test func piecesBecomeTokens() throws {
    ask()
    server.say(.found(address))
    say("one")
    say(" two")
    server.say(.ended(.complete))
    driver.run()
    let tokens = driver.events.tokens(.served)
    #expect(tokens.map(\.text) == ["one", " two"])
    #expect(tokens.map(\.index) == [0, 1] && tokens.allSatisfy { $0.id == nil })
    #expect(tokens[0].tokensPerSecond == 0 && tokens[1].tokensPerSecond > 0)
    #expect(driver.events.contains(.serverFound(job, address)))
    #expect(
      driver.events.suffix(2) == [
        .answerEnded(job, .served, .endOfText), .jobEnded(job, .finished),
      ])
    #expect(server.closed == 1)
  }

  @Test func theServersOwnCountMakesTheSpeed() throws {
    ask()
    say("a", tokens: 1)
    say("bcd", tokens: 4)
    let first = try #require(driver.events.tokens(.served).last).tokensPerSecond
    // Two pieces later two more tokens, which took the driver's clock as long again.
    say("e", tokens: 5)
    let second = try #require(driver.events.tokens(.served).last).tokensPerSecond
    #expect(first > 0 && second > 0 && second / first == 2.0 / 3)
  }

  /// Pieces that waited together say nothing of the server's speed.
  @Test func piecesThatWaitedHaveNoSpeed() {
    ask()
    server.say(
      .piece(ServedPiece(text: "a", tokens: 1)), .piece(ServedPiece(text: "b", tokens: 2)),
      .piece(ServedPiece(text: "c", tokens: 3)))
    driver.run()
    #expect(driver.events.tokens(.served).map(\.tokensPerSecond) == [0, 0, 0])
    say("d", tokens: 4)
    let later = driver.events.tokens(.served).last?.tokensPerSecond ?? 0
    // One token more since then, on a clock that moves a millisecond a look.
    #expect(later > 0 && later <= 1000)
  }

  /// Chat only goes through a template where the models here have one, too.
  @Test(arguments: [nil, "Samples/scripture"], [true, false])
  func theServerReadsWhatTheModelsRead(model: String?, isRaw: Bool) throws {
    if let model { driver.send(.open(path: Repository.path(model))) }
    ask(isRaw: isRaw, sampling: SamplingSettings(temperature: 0.7, topK: 5, topP: 0.9, seed: 11))
    let question = ServerQuestion(
      prompt: "Tell me", isChat: model == nil && !isRaw, tokenLimit: 12, temperature: 0.7, topK: 5,
      topP: 0.9, seed: 11)
    #expect(server.questions == [question])
    let isUnasked = driver.events.contains(.promptSentRaw(job))
    #expect(isUnasked == (model != nil && !isRaw))
  }

  @Test func modelsHereGoOnWhileTheServerIsSilent() {
    ask([.reference, .compressed])
    #expect(driver.events.tokens(.reference).count == 12)
    #expect(driver.events.tokens(.compressed).count == 12)
    #expect(driver.events.endings.isEmpty)
    say("late")
    server.say(.ended(.length))
    driver.run()
    #expect(driver.events.tokens(.served).map(\.text) == ["late"])
    #expect(driver.events.endings == [JobEnding(id: job, outcome: .finished)])
  }

  /// A model that does not run says so in its columns, and the server answers alone: its model has a tokenizer or not.
  @Test(arguments: [true, false])
  func aServerAnswersBesideAModelThatDoesNotRun(isRaw: Bool) throws {
    let folder = try TensorFolder(
      config: #"{"model_type": "new"}"#,
      tensors: ["model.layers.0.mlp.up_proj.weight": [64, 32]])
    driver.send(.open(path: folder.path))
    driver.send(.setPlan(Plan(rules: [PlanRule(layers: ["*"], change: SchemeChange(bits: 4))])))
    driver.run()
    ask(ModelSide.allCases, isRaw: isRaw)
    say("one")
    server.say(.ended(.complete))
    driver.run()
    let reason = #"this model does not run: the architecture "new" does not run yet"#
    for side in [AnswerSide.reference, .compressed] {
      #expect(driver.events.contains(.answerFailed(job, side, reason: reason)))
    }
    #expect(driver.events.tokens(.served).map(\.text) == ["one"])
    #expect(driver.events.endings.last == JobEnding(id: job, outcome: .finished))
    #expect(server.questions.map { $0?.isChat } == [!isRaw])
    #expect(server.questions.map { $0?.tokenLimit } == [12])
    #expect(!driver.events.contains(.promptSentRaw(job)))
  }

  @Test func aFailureIsTheServersAlone() {
    driver.send(
      .generate(
        job,
        GenerationRequest(
          prompt: "Tell me", isRaw: true, sides: [.reference], server: address, tokenLimit: 12)))
    driver.step()
    server.say(.failed(ServerFailure("http://host:1: no")))
    driver.run()
    #expect(driver.events.contains(.answerFailed(job, .served, reason: "http://host:1: no")))
    #expect(driver.events.tokens(.reference).count == 12)
    #expect(driver.events.endings == [JobEnding(id: job, outcome: .finished)])
    #expect(server.closed == 1)
  }

  @Test func cancelClosesTheConnectionAtOnce() {
    ask([.reference])
    #expect(server.closed == 0)
    driver.send(.cancel(job))
    #expect(server.closed == 1)
    #expect(driver.events.endings == [JobEnding(id: job, outcome: .cancelled)])
    say("too late")
    #expect(driver.events.tokens(.served).isEmpty)
  }

  @Test func anotherPromptAnotherModelAndTheEndCloseIt() throws {
    ask()
    ask()
    #expect(server.closed == 1)
    driver.send(.open(path: model.path))
    #expect(server.closed == 2)
    ask()
    driver.send(.shutDown)
    #expect(server.closed == 3)
  }

  @Test func whoWaitsForAnotherJobIsStillToldThatItEnded() {
    let coarse = Plan(rules: [
      PlanRule(layers: ["*"], change: SchemeChange(bits: 2, group: .size(32)))
    ])
    driver.send(.setPlan(coarse))
    driver.send(
      .generate(
        job,
        GenerationRequest(
          prompt: "Tell me", isRaw: true, sides: [.compressed], server: address, tokenLimit: 12)))
    driver.send(.cancel(.compression))
    driver.run()
    // While the server may still speak, the answer waits.
    #expect(!driver.events.endings.contains { $0.id == job })
    server.say(.ended(.complete))
    driver.run()
    guard case .failed(let reason)? = driver.events.endings.last?.outcome else {
      Issue.record("the answer still waits: \(driver.events.endings)")
      return
    }
    #expect(reason.contains("compress"))
  }

  @Test func aServerIsFound() {
    driver.send(.findServer(job, address))
    driver.run()
    #expect(server.questions == [nil])
    #expect(driver.events.endings.isEmpty)
    server.say(.found(address))
    driver.run()
    #expect(driver.events.suffix(2) == [.serverFound(job, address), .jobEnded(job, .finished)])
  }

  @Test func aServerIsNotFound() {
    driver.send(.findServer(job, address))
    server.say(.failed(ServerFailure("no")))
    driver.run()
    #expect(driver.events.endings == [JobEnding(id: job, outcome: .failed("no"))])
  }

  @Test func commandsAndEventsAreValues() throws {
    let request = GenerationRequest(prompt: "a", server: address)
    let commands: [EngineCommand] = [.generate(job, request), .findServer(job, address)]
    let read = try JSONDecoder().decode(
      [EngineCommand].self, from: JSONEncoder().encode(commands))
    #expect(read == commands)
  }
}
