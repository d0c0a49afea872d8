import Compression
import Testing

@testable import Engine

/// An engine's journal holds what it still does and what nobody has seen, and no more.
struct EngineJournalTests {
  private let plan = Plan(rules: [
    PlanRule(layers: ["*"], change: SchemeChange(bits: 4, group: .size(16)))
  ])

  /// The journal of an engine that a model was opened with, and all that it says noted.
  private func journal(
    _ model: TinyModel, _ commands: [EngineCommand], isSeen: Bool
  ) -> EngineJournal {
    let driver = Driver()
    var journal = EngineJournal()
    for command in [.open(path: model.path)] + commands {
      journal.note(command, path: nil)
      let start = driver.events.count
      driver.send(command)
      driver.run()
      for event in driver.events[start...] { journal.note(event, isSeen: isSeen) }
    }
    return journal
  }

  @Test func aFinishedEvaluationIsToldToWhoeverHasNotSeenIt() throws {
    let model = try TinyModel()
    let text = try model.write(String(repeating: "word ", count: 200), to: "text.txt")
    let request = EvaluationRequest(textPath: text, window: 64)
    let commands: [EngineCommand] = [.setPlan(plan), .evaluate(JobID(4), request)]
    let unseen = journal(model, commands, isSeen: false)
    let job = try #require(unseen.unseen.first)
    #expect(job.command == .evaluate(JobID(4), request))
    #expect(job.plan == plan && job.outcome == .finished)
    let evaluated = job.events.filter { if case .evaluated = $0 { true } else { false } }
    // What came before the end is replaced by it.
    #expect(job.events.count == 1 && evaluated.count == 1)
    #expect(unseen.record?.plan == plan && !unseen.hasWork)
    #expect(Set(unseen.events.reports.map(\.layer)).count == TinyModel.layers)
    #expect(journal(model, commands, isSeen: true).unseen.isEmpty)
  }

  @Test func aRefusedPlanIsNotTheEngines() throws {
    let model = try TinyModel()
    let wrong = Plan(rules: [
      PlanRule(layers: ["*"], change: SchemeChange(bits: 4, group: .size(7)))
    ])
    let journal = journal(model, [.setPlan(plan), .setPlan(wrong)], isSeen: true)
    #expect(journal.record?.plan == plan)
  }

  @Test func anotherModelBeginsAnew() throws {
    let (first, second) = (try TinyModel(), try TinyModel(seed: 2))
    let commands: [EngineCommand] = [
      .setPlan(plan), .open(path: "/no/such"), .open(path: second.path),
    ]
    let record = try #require(journal(first, commands, isSeen: true).record)
    #expect(record.path == second.path && record.plan == nil)
  }

  @Test func onlyTheLastAnswerIsKept() throws {
    let model = try TinyModel()
    func ask(_ number: Int) -> EngineCommand {
      .generate(JobID(number), GenerationRequest(prompt: "Hi", isRaw: true, tokenLimit: 3))
    }
    let record = journal(model, [ask(1), ask(2)], isSeen: true).record
    let answers = record?.jobs.filter { $0.kind == .generate } ?? []
    #expect(answers.map(\.id) == [JobID(2)])
    #expect(answers.first?.events.tokens(.reference).count == 3)
  }
}
