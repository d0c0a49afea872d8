import Compression
import Engine
import Export
import Foundation
import TestSupport
import Testing

@Suite struct EngineThreadTests {
  /// Waits for events until one meets the condition, and returns all up to it.
  private func events(
    of box: Mailbox<EngineEvent>, until isLast: (EngineEvent) -> Bool
  ) -> [EngineEvent] {
    var events: [EngineEvent] = []
    while true {
      for event in box.waitAndTake() {
        events.append(event)
        if isLast(event) { return events }
      }
    }
  }

  private let plan = Plan(rules: [
    PlanRule(layers: ["*"], change: SchemeChange(bits: 4, group: .size(16)))
  ])

  @Test func worksInTheBackgroundAndStops() throws {
    let model = try TinyModel()
    let box = Mailbox<EngineEvent>()
    let engine = Engine(settings: EngineSettings(threads: 2)) { box.post($0) }
    engine.send(.open(path: model.path))
    engine.send(.setPlan(plan))
    engine.send(.generate(JobID(1), GenerationRequest(prompt: "Hi", isRaw: true, tokenLimit: 5)))
    let seen = events(of: box) { $0 == .jobEnded(JobID(1), .finished) }
    #expect(seen.tokens(.reference).count == 5)
    #expect(seen.tokens(.compressed).count == 5)
    engine.shutDown()
    engine.shutDown()
    _ = box.take()
    engine.send(.open(path: model.path))
    #expect(box.take().isEmpty)
  }

  /// An engine in the midst of a long evaluation, which is job 2.
  private func evaluatingEngine(
    _ model: TinyModel, _ box: Mailbox<EngineEvent>
  ) throws -> Engine {
    let engine = Engine(settings: EngineSettings(threads: 1)) { box.post($0) }
    engine.send(.open(path: model.path))
    let text = try model.write(String(repeating: "word ", count: 20_000), to: "long.txt")
    engine.send(
      .evaluate(JobID(2), EvaluationRequest(textPath: text, window: 128, compares: false)))
    _ = events(of: box) { if case .jobProgress = $0 { true } else { false } }
    return engine
  }

  @Test func shuttingDownEndsJobs() throws {
    let model = try TinyModel()
    let box = Mailbox<EngineEvent>()
    let engine = try evaluatingEngine(model, box)
    engine.shutDown()
    #expect(box.take().last == .jobEnded(JobID(2), .cancelled))
  }

  @Test func commandsAreAnsweredDuringLongWork() throws {
    let model = try TinyModel()
    let box = Mailbox<EngineEvent>()
    let engine = try evaluatingEngine(model, box)
    for _ in 0..<3 {
      engine.send(.outlineExport(.vllm))
      engine.send(.generate(JobID(3), GenerationRequest(prompt: "Hi", isRaw: true, tokenLimit: 2)))
      let seen = events(of: box) { $0 == .jobEnded(JobID(3), .finished) }
      #expect(seen.contains { if case .exportOutline = $0 { true } else { false } })
      #expect(seen.endings.map(\.id) == [JobID(3)])
    }
    engine.send(.cancel(JobID(2)))
    #expect(
      events(of: box) { if case .jobEnded = $0 { true } else { false } }.endings == [
        JobEnding(id: JobID(2), outcome: .cancelled)
      ])
    engine.shutDown()
  }

  /// Events are told on the threads that work; all of these end with the engine.
  @Test func noThreadOutlivesTheEngine() throws {
    let model = try TinyModel()
    let box = Mailbox<EngineEvent>()
    let threads = Mailbox<ThreadPath>()
    let engine = Engine(settings: EngineSettings(threads: 1)) {
      threads.post(.current)
      box.post($0)
    }
    engine.send(.open(path: model.path))
    let text = try model.write(String(repeating: "word ", count: 20_000), to: "long.txt")
    for id in [JobID(2), JobID(3)] {
      engine.send(.evaluate(id, EvaluationRequest(textPath: text, window: 128, compares: false)))
      _ = events(of: box) {
        if case .jobProgress(id, _) = $0 { true } else { false }
      }
    }
    engine.send(.generate(JobID(4), GenerationRequest(prompt: "Hi", isRaw: true, tokenLimit: 90)))
    _ = events(of: box) { if case .token = $0 { true } else { false } }
    engine.shutDown()
    let used = Set(threads.take())
    #expect(used.count == 4)
    // The engine's own thread says that it has ended just before it has.
    for _ in 0..<1000 where used.contains(where: \.isThere) { usleep(1000) }
    #expect(!used.contains { $0.isThere })
  }

  @Test func sessionSurvivesCoding() throws {
    let model = try TinyModel()
    let driver = Driver(model)
    driver.send(.setPlan(plan))
    driver.send(.generate(JobID(1), GenerationRequest(prompt: "Hi", isRaw: true, tokenLimit: 3)))
    let text = try model.write(String(repeating: "word ", count: 60), to: "text.txt")
    driver.send(.evaluate(JobID(2), EvaluationRequest(textPath: text, window: 64)))
    driver.send(.open(path: "nowhere"))
    driver.run()
    let data = try JSONEncoder().encode(driver.events)
    #expect(try JSONDecoder().decode([EngineEvent].self, from: data) == driver.events)
  }
}
