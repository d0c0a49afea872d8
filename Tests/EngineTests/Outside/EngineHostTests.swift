import Compression
import Dispatch
import FoundationEssentials
import Glibc
import Links
import Synchronization
import TestSupport
import Testing
import Work

@testable import Engine

/// An engine behind a socket, and what workbenches that come and go see of it.
@Suite(.serialized) struct EngineHostTests {
  /// A host with a directory of its own, which runs until it ends by itself.
  private final class Served {
    let folder: String
    let host: EngineHost
    let directory: PrivateDirectory
    private let done = DispatchSemaphore(value: 0)

    init(patience: Duration? = .milliseconds(1)) throws {
      folder =
        FileManager.default.temporaryDirectory
        .appending(path: "vise-host-\(UUID().uuidString)").path
      directory = try PrivateDirectory(folder)
      var options = EngineHost.Options()
      options.settings.threads = 1
      options.directory = directory
      options.stateDirectory = "\(folder)/state"
      options.patience = patience
      host = EngineHost(options)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    /// Serves a first workbench.
    func begin(_ hello: Hello = Hello(purpose: .work, client: "first")) throws -> Workbench {
      let (here, there) = try ByteStream.pair()
      let (host, done) = (host, done)
      BackgroundThread {
        try? host.run(first: there)
        done.signal()
      }
      return try Workbench(here, hello)
    }

    /// Waits until it has ended.
    func waitForEnd() { done.wait() }
  }

  /// One that speaks to it, a message at a time.
  private final class Workbench {
    let stream: ByteStream
    private var buffer = FrameBuffer(limit: EngineProtocol.eventLimit)

    init(_ stream: ByteStream, _ hello: Hello) throws {
      self.stream = stream
      try stream.write(
        FrameBuffer.opening + WireMessage.encode(hello, limit: EngineProtocol.commandLimit))
    }

    func send(_ command: EngineCommand) throws {
      try stream.write(WireMessage.encode(command, limit: EngineProtocol.commandLimit))
    }

    func frame() throws -> [UInt8]? {
      while true {
        if let frame = try buffer.next() { return frame }
        let bytes = try stream.read()
        if bytes.isEmpty { return nil }
        buffer.append(bytes)
      }
    }

    func welcome() throws -> Welcome {
      try WireMessage.decode(Welcome.self, from: try #require(try frame()))
    }

    /// What comes up to the first message that meets the condition.
    func messages(until isLast: (HostMessage) -> Bool) throws -> [HostMessage] {
      var messages: [HostMessage] = []
      while let frame = try frame() {
        messages.append(try WireMessage.decode(HostMessage.self, from: frame))
        if isLast(messages[messages.count - 1]) { break }
      }
      return messages
    }
  }

  private func isEnd(of job: JobID) -> (HostMessage) -> Bool {
    { if case .event(.jobEnded(job, _)) = $0 { true } else { false } }
  }

  @Test func itServesAndEndsWhenTold() throws {
    let model = try TinyModel()
    let served = try Served()
    let workbench = try served.begin()
    let welcome = try workbench.welcome()
    #expect(welcome.refusal == nil && welcome.mismatch(with: nil) == nil)
    try workbench.send(.open(path: model.path))
    try workbench.send(
      .generate(JobID(1), GenerationRequest(prompt: "Hi", isRaw: true, tokenLimit: 5)))
    let events = try workbench.messages(until: isEnd(of: JobID(1))).compactMap {
      if case .event(let event) = $0 { event } else { nil }
    }
    #expect(events.tokens(.compressed).count == 5)
    try workbench.send(.shutDown)
    served.waitForEnd()
    #expect(try workbench.frame() == nil)
    #expect(served.directory.names.filter { $0.hasSuffix(".sock") }.isEmpty)
  }

  /// A job goes on without its workbench, and the next one hears all of it.
  @Test func aJobOutlivesItsWorkbench() throws {
    let model = try TinyModel()
    let text = try model.write(String(repeating: "word ", count: 3000), to: "long.txt")
    let served = try Served(patience: .seconds(30))
    let first = try served.begin()
    _ = try first.welcome()
    try first.send(.open(path: model.path))
    let request = EvaluationRequest(textPath: text, window: 128, compares: false)
    try first.send(.evaluate(JobID(7), request))
    _ = try first.messages { if case .event(.jobProgress) = $0 { true } else { false } }
    // Somebody else is sent away as long as it is there.
    let name = try #require(served.directory.names.first { $0.hasSuffix(".sock") })
    let other = try Workbench(
      UnixSocket.connect(to: name, in: served.directory), Hello(purpose: .work, client: "second"))
    #expect(try other.welcome().refusal != nil)
    first.stream.end()
    // The host sees the end of the first a moment later.
    var second: Workbench?
    for _ in 0..<200 where second == nil {
      let next = try Workbench(
        UnixSocket.connect(to: name, in: served.directory), Hello(purpose: .work, client: "second"))
      if try next.welcome().refusal == nil { second = next } else { usleep(10_000) }
    }
    let workbench = try #require(second)
    try workbench.send(.open(path: model.path))
    let messages = try workbench.messages { message in
      switch message {
      case .attached(let record): record.jobs.contains { $0.outcome != nil }
      default: isEnd(of: JobID(7))(message)
      }
    }
    guard case .attached(let record)? = messages.first else {
      Issue.record("it begins with what was done: \(messages.first.debugDescription)")
      return
    }
    let job = try #require(record.jobs.first { $0.id == JobID(7) })
    #expect(job.command == .evaluate(JobID(7), request))
    #expect(record.path == model.path)
    try workbench.send(.shutDown)
    served.waitForEnd()
  }

  /// What ended while nobody was there outlives the engine too.
  @Test func resultsOutliveTheEngine() throws {
    let model = try TinyModel()
    let text = try model.write(String(repeating: "word ", count: 600), to: "text.txt")
    let served = try Served()
    let first = try served.begin()
    _ = try first.welcome()
    try first.send(.open(path: model.path))
    let request = EvaluationRequest(textPath: text, window: 128, compares: false)
    try first.send(.evaluate(JobID(2), request))
    _ = try first.messages { if case .event(.jobStarted) = $0 { true } else { false } }
    first.stream.end()
    served.waitForEnd()
    let left = LeftResults("\(served.folder)/state")
    let fingerprint = try LeftResults.fingerprint(ofModelAt: model.path)
    let jobs = try #require(left.results(of: fingerprint))
    #expect(jobs.map(\.id) == [JobID(2)])
    #expect(jobs.first?.outcome == .finished)
  }

  @Test func hostileBytesEndTheConnectionAndNothingElse() throws {
    let model = try TinyModel()
    let served = try Served(patience: .seconds(30))
    let first = try served.begin()
    _ = try first.welcome()
    try first.send(.open(path: model.path))
    _ = try first.messages { if case .event(.opened) = $0 { true } else { false } }
    let name = try #require(served.directory.names.first { $0.hasSuffix(".sock") })
    var random = SeededRandom(seed: 3)
    for round in 0..<60 {
      let stream = try UnixSocket.connect(to: name, in: served.directory)
      var bytes = round % 2 == 0 ? FrameBuffer.opening : []
      bytes += (0..<Int.random(in: 0...200, using: &random)).map { _ in
        UInt8.random(in: 0...255, using: &random) % (round % 3 == 0 ? 3 : 255)
      }
      try? stream.write(bytes)
      stream.endOutput()
      while let bytes = try? stream.read(), !bytes.isEmpty {}
    }
    // In the midst of commands as well: it says why, and waits for the next workbench.
    try first.stream.write(FrameBuffer.frame(Array("{\"open\":[]}".utf8), limit: 100))
    let last = try first.messages { if case .refused = $0 { true } else { false } }.last
    guard case .refused(let reason)? = last else {
      Issue.record("no reason was given")
      return
    }
    #expect(!reason.isEmpty)
    let finder = try Workbench(
      UnixSocket.connect(to: name, in: served.directory), Hello(purpose: .stop))
    #expect(try finder.welcome().status?.model == model.path)
    served.waitForEnd()
  }

  @Test func versionsAreCompared() {
    var welcome = Welcome()
    #expect(welcome.mismatch(with: nil) == nil)
    welcome.protocolVersion += 1
    #expect(welcome.mismatch(with: "host")?.contains("Vise on host") == true)
    welcome = Welcome(version: "0.0.1")
    #expect(welcome.mismatch(with: nil)?.contains("0.0.1") == true)
  }
}
