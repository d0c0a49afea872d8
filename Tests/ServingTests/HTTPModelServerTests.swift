import Foundation
import TestServer
import Testing

@testable import Serving

/// Asks a server that lives in another process, over real connections.
@Suite struct HTTPModelServerTests {
  private static let running = Result { try TestServer() }
  private let server: TestServer

  init() throws { server = try Self.running.get() }

  /// Patience that no test waits for, unless it is about just that.
  private static let patient = ServerPatience(connecting: .seconds(60), idle: .seconds(60))

  /// Everything that comes of a question.
  private func news(
    of behaviour: String, model: String? = "tiny", isProbe: Bool = false, isChat: Bool = true,
    tokens: Int = 50, patience: ServerPatience = patient, key: String? = nil
  ) async throws -> [ServerNews] {
    let question = ServerQuestion(prompt: "Tell me", isChat: isChat, tokenLimit: tokens)
    return try await news(
      of: isProbe ? nil : question, at: ServerAddress(server.url(behaviour), model: model),
      patience: patience, key: key)
  }

  private func news(
    of question: ServerQuestion?, at address: ServerAddress, patience: ServerPatience = patient,
    key: String? = nil
  ) async throws -> [ServerNews] {
    let asked = HTTPModelServer(
      patience: patience, key: ServerKey { $0 == "VISE_API_KEY" ? key : nil })
    let (stream, continuation) = AsyncStream.makeStream(of: ServerNews.self)
    let exchange = asked.ask(question, of: address) { item in
      continuation.yield(item)
      switch item {
      case .found where question != nil, .piece: break
      case .found, .ended, .failed: continuation.finish()
      }
    }
    var all: [ServerNews] = []
    for await item in stream { all.append(item) }
    withExtendedLifetime(exchange) {}
    return all
  }

  private func failure(of behaviour: String, model: String? = "tiny") async throws -> String {
    let last = try await news(of: behaviour, model: model).last
    guard case .failed(let failure) = last else { return "no failure: \(String(describing: last))" }
    let text = failure.description
    #expect(text.hasPrefix(server.url(behaviour) + ": "))
    #expect(
      text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f..<0xa0).contains($0.value) })
    #expect(text.count < 500)
    return String(text.dropFirst(server.url(behaviour).count + 2))
  }

  // MARK: Answers

  @Test(arguments: ["plain", "bytewise", "no-done", "end-then-rubbish", "listless"])
  func answersArrive(_ behaviour: String) async throws {
    let news = try await news(of: behaviour)
    #expect(
      news.dropFirst() == [
        .piece(ServedPiece(text: "Hello")), .piece(ServedPiece(text: " wörld 🌊")),
        .ended(.complete),
      ])
  }

  @Test func anEventBeforeTheEndNeedsNoEmptyLine() async throws {
    let news = try await news(of: "unfinished-last-line")
    #expect(news.dropFirst() == [.piece(ServedPiece(text: "Hello")), .ended(.complete)])
  }

  @Test func completionsCountTokens() async throws {
    let news = try await news(of: "completion", isChat: false)
    #expect(news.dropFirst() == [.piece(ServedPiece(text: " and", tokens: 3)), .ended(.length)])
  }

  @Test func thoughtsArePartOfTheAnswer() async throws {
    #expect(try await news(of: "thinking").text == "hm yes")
  }

  /// What the server was asked.
  private func asked(_ question: ServerQuestion, key: String? = nil) async throws -> [String: Any] {
    let address = try ServerAddress(server.url("echo"), model: "tiny")
    let text = try await news(of: question, at: address, key: key).text
    return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
  }

  @Test func chatIsAskedGreedily() async throws {
    let told = try await asked(ServerQuestion(prompt: "Say \"ö\"\n", isChat: true, tokenLimit: 7))
    #expect(told["path"] as? String == "/echo/v1/chat/completions")
    #expect(told["key"] is NSNull)
    let body = told["body"] as? [String: Any] ?? [:]
    #expect(
      body["messages"] as? [[String: String]] == [["role": "user", "content": "Say \"ö\"\n"]])
    #expect(body["prompt"] == nil && body["model"] as? String == "tiny")
    #expect(body["max_tokens"] as? Int == 7 && body["stream"] as? Bool == true)
    #expect(body["temperature"] as? Double == 0)
    #expect(body["seed"] == nil && body["top_p"] == nil)
  }

  @Test func rawPromptsAreSampled() async throws {
    let told = try await asked(
      ServerQuestion(
        prompt: "In the", isChat: false, tokenLimit: 9, temperature: 0.8, topK: 40, topP: 0.95,
        seed: 7), key: "secret")
    #expect(told["path"] as? String == "/echo/v1/completions")
    #expect(told["key"] as? String == "Bearer secret")
    let body = told["body"] as? [String: Any] ?? [:]
    #expect(body["prompt"] as? String == "In the" && body["messages"] == nil)
    #expect(body["temperature"] as? Double == 0.8 && body["top_p"] as? Double == 0.95)
    #expect(body["top_k"] as? Int == 40 && body["seed"] as? Int == 7 && body["min_p"] as? Int == 0)
  }

  // MARK: Models

  @Test func theOnlyModelIsFound() async throws {
    let found = try ServerAddress(server.url("plain"), model: "tiny")
    #expect(try await news(of: "plain", model: nil, isProbe: true) == [.found(found)])
    #expect(try await news(of: "plain", model: nil).first == .found(found))
  }

  @Test func amongSeveralModelsOneIsToBeNamed() async throws {
    let said = try await failure(of: "several", model: nil)
    #expect(said.hasPrefix("it serves small, large[31m, m0"))
    #expect(said.contains("and 14 more; say which"))
  }

  @Test func aServerWithoutAListIsThereIfItsModelIsNamed() async throws {
    let address = try ServerAddress(server.url("listless"), model: "x")
    #expect(try await news(of: nil, at: address) == [.found(address)])
    #expect(try await failure(of: "listless", model: nil) == "HTTP 404: Not Found")
  }

  @Test func listsThatAreNone() async throws {
    #expect(try await failure(of: "none", model: nil) == "it serves no model")
    #expect(try await failure(of: "scribble", model: nil).contains("no list of models"))
  }

  // MARK: Refusals

  @Test(arguments: [
    ("json-404", "HTTP 404: The model `x` does not exist."),
    ("detail-422", "HTTP 422: value is not a valid list"),
    ("html-500", "HTTP 500; the server's own log may say why"),
    ("text-503", "HTTP 503: model is[31m loading"),
    ("binary-500", "HTTP 500; the server's own log may say why"),
    ("locked", "HTTP 401: Incorrect API key: none; set VISE_API_KEY to the server's key"),
    ("page", "it answers with a web page; does it speak OpenAI's API, and is its URL right?"),
    ("redirect", "it redirects to /plain/v1/chat/completions; give that URL if you trust it"),
    ("error-event", "out of[2J memory"),
    ("not-object", "the server sends what is no answer: not a JSON object"),
    ("choiceless", "the server sends what is no answer: it has no \"choices\""),
    ("deep", "the server sends what is no answer: nested deeper than 64 levels"),
    ("early", "the connection was closed before the answer was complete"),
    ("early-unchunked", "the connection was closed before the answer was complete"),
    ("cut", "the connection was closed before the answer was complete"),
    ("scribble", "the connection was closed before the answer was complete"),
    ("huge", "the server sends an event of more than 1 MB, which is no answer"),
    ("flood", "the server sends more than 32 MB, which is no answer"),
  ])
  func saysWhatIsWrong(_ behaviour: String, _ expected: String) async throws {
    #expect(try await failure(of: behaviour) == expected)
  }

  @Test func malformedEventsEndTheAnswer() async throws {
    let news = try await news(of: "not-json")
    #expect(news.text == "Hello")
    #expect(try await failure(of: "not-json").contains("the server sends what is no answer"))
  }

  @Test func aConnectionWithoutAnAnswerIsTold() async throws {
    #expect(!(try await failure(of: "nothing")).isEmpty)
  }

  @Test func theKeyIsNotTold() async throws {
    let last = try await news(of: "locked", key: "sk-123456").last
    guard case .failed(let failure) = last else {
      Issue.record("no failure")
      return
    }
    #expect(failure.description.contains("Bearer ***"))
    #expect(!failure.description.contains("sk-123456"))
  }

  @Test func nobodyListens() async throws {
    // The port of a server that is gone.
    let url = try TestServer().url("plain")
    let news = try await news(of: nil, at: try ServerAddress(url))
    #expect(
      news == [
        .failed(
          ServerFailure(
            "\(url): nobody answers there; is the server running, and is the port right?"))
      ])
  }

  // MARK: Time

  @Test func aServerThatDoesNotAnswerIsLeft() async throws {
    let last = try await news(
      of: "silent/models", model: nil,
      patience: ServerPatience(connecting: .milliseconds(300), idle: .seconds(60))
    ).last
    let expected = "no answer within 0.3 s; is the server running, and is the URL right?"
    #expect(last == .failed(ServerFailure("\(server.url("silent/models")): \(expected)")))
    try await server.waitForClose("silent/models")
  }

  @Test(arguments: ["stall/idle", "silent/idle"])
  func aServerThatFallsSilentIsLeft(_ behaviour: String) async throws {
    let news = try await news(
      of: behaviour, patience: ServerPatience(connecting: .seconds(60), idle: .milliseconds(300)))
    #expect(news.text == (behaviour == "stall/idle" ? "one" : ""))
    let expected = "the server has sent nothing for 0.3 s; it is overloaded, or hangs"
    #expect(news.last == .failed(ServerFailure("\(server.url(behaviour)): \(expected)")))
    try await server.waitForClose(behaviour)
  }

  // MARK: Ends

  @Test func whoDoesNotStopIsStopped() async throws {
    let news = try await news(of: "endless/limit", tokens: 5)
    #expect(news.text == "ononononon")
    #expect(news.last == .ended(.length))
    try await server.waitForClose("endless/limit")
  }

  @Test func theConnectionClosesWithTheExchange() async throws {
    let (stream, continuation) = AsyncStream.makeStream(of: ServerNews.self)
    let address = try ServerAddress(server.url("endless/exchange"), model: "tiny")
    let question = ServerQuestion(prompt: "Tell me", isChat: true, tokenLimit: 1_000_000)
    var exchange: ServerExchange? = HTTPModelServer(patience: Self.patient).ask(
      question, of: address
    ) { continuation.yield($0) }
    for await item in stream { if case .piece = item { break } }
    #expect(exchange != nil)
    exchange = nil
    try await server.waitForClose("endless/exchange")
  }

  @Test func controlCharactersAreLeftOut() async throws {
    #expect(try await news(of: "hostile").text == "a]0;titleb[2Jcde\nfg")
  }
}

extension [ServerNews] {
  fileprivate var text: String {
    compactMap { if case .piece(let piece) = $0 { piece.text } else { nil } }.joined()
  }
}
