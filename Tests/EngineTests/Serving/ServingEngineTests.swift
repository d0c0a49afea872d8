import Engine
import Foundation
import Serving
import TestServer
import Testing

/// The engine with its thread, and the command line, against a server in another process.
@Suite struct ServingEngineTests {
  private static let running = Result { try TestServer() }
  private let model: TinyModel
  private let server: TestServer

  init() throws {
    model = try TinyModel()
    server = try Self.running.get()
  }

  private func request(_ behaviour: String, tokens: Int = 20) throws -> GenerationRequest {
    GenerationRequest(
      prompt: "Tell me", isRaw: true, sides: [], server: try ServerAddress(server.url(behaviour)),
      tokenLimit: tokens)
  }

  /// All events until one meets the condition; leaves the thread to whoever hears the server.
  private func events(
    _ inbox: Mailbox<EngineEvent>, until isLast: (EngineEvent) -> Bool
  ) async throws -> [EngineEvent] {
    var all: [EngineEvent] = []
    while !all.contains(where: isLast) {
      all += inbox.take()
      try await Task.sleep(for: .milliseconds(5))
    }
    return all
  }

  @Test func whatTheServerSendsWakesTheEngine() async throws {
    let inbox = Mailbox<EngineEvent>()
    let engine = Engine(settings: EngineSettings(threads: 1)) { inbox.post($0) }
    engine.send(.open(path: model.path))
    engine.send(.generate(JobID(1), try request("plain")))
    let all = try await events(inbox) { if case .jobEnded = $0 { true } else { false } }
    #expect(all.tokens(.served).map(\.text).joined() == "Hello wörld 🌊")
    #expect(all.last == .jobEnded(JobID(1), .finished))
    engine.shutDown()
  }

  @Test func theEndOfTheEngineClosesConnections() async throws {
    let inbox = Mailbox<EngineEvent>()
    let engine = Engine(settings: EngineSettings(threads: 1)) { inbox.post($0) }
    engine.send(.open(path: model.path))
    engine.send(.generate(JobID(1), try request("endless", tokens: .max)))
    _ = try await events(inbox) { if case .token = $0 { true } else { false } }
    engine.shutDown()
    try await server.waitForClose("endless")
  }

  private func generate(_ behaviour: String, _ more: String...) throws -> ViseProcess {
    try ViseProcess(
      [
        "generate", model.path, "--prompt", "Tell me", "--raw", "--tokens", "6", "--serve",
        server.url(behaviour),
      ] + more)
  }

  @Test func generateWritesTheServersAnswerToo() throws {
    let run = try generate("plain")
    #expect(run.status == 0)
    #expect(run.output.hasPrefix("[reference]\n"))
    #expect(run.output.hasSuffix("\n\n[served]\nHello wörld 🌊\n"))
  }

  @Test func generateTellsItInJSON() throws {
    let result = try generate("plain", "--served-model", "named", "--json").object()
    let served = try #require(result["served"] as? [String: Any])
    #expect(Set(served.keys) == ["model", "text", "tokens_per_second"])
    #expect(served["model"] as? String == "named")
    #expect(served["text"] as? String == "Hello wörld 🌊")
    let reference = try #require(result["reference"] as? [String: Any])
    #expect(
      Set(reference.keys) == [
        "text", "token_ids", "tokens_per_second", "prompt_tokens", "prompt_seconds",
        "cache_bytes",
      ])
    #expect((reference["token_ids"] as? [Int])?.count == 6)
  }

  @Test func generateFailsWithTheServer() throws {
    let run = try generate("json-404")
    #expect(run.status == 1)
    #expect(
      run.errors
        == "vise: error: \(server.url("json-404")): HTTP 404: The model `x` does not exist.\n")
  }

  @Test(arguments: [["--serve", "localhost:1"], ["--served-model", "x"]])
  func badOptionsAreRefused(_ options: [String]) throws {
    for command in [["generate", model.path, "--prompt", "a"], ["open", model.path]] {
      let run = try ViseProcess(command + options)
      #expect(run.status == 64)
      #expect(run.errors.hasPrefix("vise: error: "))
    }
  }
}
