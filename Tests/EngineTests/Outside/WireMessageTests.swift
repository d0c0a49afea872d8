import Compression
import Export
import FoundationEssentials
import Links
import TestSupport
import Testing

@testable import Engine

/// Messages arrive as they were sent, and bytes that are none are an error.
struct WireMessageTests {
  private let plan = Plan(rules: [
    PlanRule(layers: ["*"], change: SchemeChange(bits: 4, group: .size(16)))
  ])

  /// What an engine says while it does a bit of everything, and what it is told.
  private func conversation() throws -> (commands: [EngineCommand], events: [EngineEvent]) {
    let model = try TinyModel()
    let text = try model.write(String(repeating: "In the beginning ", count: 60), to: "text.txt")
    let driver = Driver(model)
    let commands: [EngineCommand] = [
      .open(path: model.path), .setPlan(plan), .look(at: ["model.layers.0.mlp.down_proj"]),
      .generate(JobID(1), GenerationRequest(prompt: "Hé \u{1F600}", isRaw: true, tokenLimit: 4)),
      .evaluate(JobID(2), EvaluationRequest(textPath: text, window: 64)),
      .measureSensitivity(
        JobID(3),
        SensitivityRequest(
          textPath: text, gradientTokens: 64, tokenLimit: 64,
          candidates: [Scheme(quantization: QuantizationScheme(bits: 4, group: .size(16)))])),
      .allocate(.bytes(40_000), AllocationSettings()), .drawFrontier(AllocationSettings()),
      .previewExport(
        ExportRequest(format: .gguf, target: .llamaCpp, path: "\(model.path)/out.gguf")),
      .cancel(JobID(2)), .open(path: "/no/such/model"),
    ]
    for command in commands {
      driver.send(command)
      driver.run()
    }
    return (commands, driver.events)
  }

  private func content(_ frame: [UInt8]) -> [UInt8] { Array(frame.dropFirst(4)) }

  @Test func everythingArrivesAsItWasSent() throws {
    let (commands, events) = try conversation()
    for command in commands {
      let bytes = content(try WireMessage.encode(command, limit: .max))
      #expect(try WireMessage.decode(EngineCommand.self, from: bytes) == command)
    }
    let kinds = Set(events.map { "\($0)".prefix { $0 != "(" } })
    for kind in ["opened", "report", "token", "evaluated", "sensitivity", "frontier", "openFailed"]
    {
      #expect(kinds.contains(kind[...]), "the conversation has no \(kind)")
    }
    for event in events {
      let bytes = content(try WireMessage.encode(HostMessage.event(event), limit: .max))
      #expect(try WireMessage.decode(HostMessage.self, from: bytes) == .event(event))
    }
  }

  @Test func numbersKeepEveryBit() throws {
    var random = SeededRandom(seed: 7)
    var values = [0, -0.0, .infinity, -.infinity, .leastNonzeroMagnitude, .greatestFiniteMagnitude]
    values += (0..<500).map { _ in
      Double(bitPattern: random.next())
    }.filter { !$0.isNaN }
    for value in values {
      let event = EngineEvent.jobProgress(
        JobID(1), JobProgress(completed: 1, total: 2, secondsLeft: value))
      let bytes = content(try WireMessage.encode(event, limit: .max))
      guard
        case .jobProgress(_, let progress) = try WireMessage.decode(EngineEvent.self, from: bytes)
      else {
        Issue.record("another event")
        continue
      }
      #expect(progress.secondsLeft?.bitPattern == value.bitPattern)
    }
  }

  /// Other programs can read them: the text is JSON of these names.
  @Test func theyAreJSON() throws {
    let bytes = try WireMessage.encode(EngineCommand.cancel(JobID(3)), limit: 100)
    #expect(
      String(decoding: bytes.dropFirst(4), as: UTF8.self) == #"{"cancel":{"_0":{"number":3}}}"#)
    #expect(throws: LinkError.self) {
      try WireMessage.encode(
        EngineCommand.open(path: String(repeating: "x", count: 90)), limit: 100)
    }
  }

  /// Real messages with bytes changed, cut out, doubled and put in: each is a message or an error.
  @Test(arguments: 0..<8) func hostileBytesAreAnError(_ seed: UInt64) throws {
    let (commands, events) = try conversation()
    var random = SeededRandom(seed: seed)
    var frames = try commands.map { content(try WireMessage.encode($0, limit: .max)) }
    frames += try events.shuffled(using: &random).prefix(40).map {
      content(try WireMessage.encode(HostMessage.event($0), limit: .max))
    }
    var (good, bad) = (0, 0)
    for frame in frames {
      for _ in 0..<20 {
        let bytes = Self.damaged(frame, &random)
        for outcome in [
          Result(catching: { _ = try WireMessage.decode(EngineCommand.self, from: bytes) }),
          Result(catching: { _ = try WireMessage.decode(HostMessage.self, from: bytes) }),
        ] {
          switch outcome {
          case .success: good += 1
          case .failure(let error):
            #expect(error is LinkError)
            bad += 1
          }
        }
      }
    }
    #expect(bad > good)
  }

  @Test func depthsAndWidthsAreAnError() {
    let texts = [
      "", "null", "[]", "{}", "nul", "{\"open\":{}}", "{\"open\":{\"path\":1}}",
      "{\"cancel\":{\"_0\":{\"number\":1e400}}}", "{\"cancel\":{\"_0\":{\"number\":1.5}}}",
      String(repeating: "[", count: 100_000), String(repeating: "{\"open\":", count: 100_000),
    ]
    for text in texts {
      #expect(throws: LinkError.self) {
        try WireMessage.decode(EngineCommand.self, from: Array(text.utf8))
      }
    }
  }

  private static func damaged(_ frame: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    var bytes = frame
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      let end = min(bytes.count, place + Int.random(in: 1...20, using: &random))
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
      case 1: bytes[place] = Array("{}[]\",:-0e".utf8).randomElement(using: &random) ?? 0
      case 2: bytes.removeSubrange(place..<end)
      case 3: bytes.insert(contentsOf: Array(bytes[place..<end]), at: place)
      default: bytes.removeLast(bytes.count - place)
      }
    }
    return bytes
  }
}
