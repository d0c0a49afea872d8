import Checkpoints
import Compression
import Engine
import Inference
import Sessions
import TestSupport
import Testing

@testable import Workbench

/// An engine outside the workbench comes, goes, and comes again.
struct LinkTests {
  private let result = EvaluationSummary(tokens: 90, windows: 3, referencePPL: Estimate(7))

  private var evaluation: (command: EngineCommand, request: EvaluationRequest) {
    let request = EvaluationRequest(textPath: "text.txt")
    return (.evaluate(JobID(3), request), request)
  }

  private func plan(bits: Int, of model: ModelDescription) -> Plan {
    Plan(
      model: model.name, fingerprint: model.fingerprint,
      rules: [PlanRule(layers: ["*_proj"], change: SchemeChange(bits: bits))])
  }

  // MARK: Gone

  @Test func aLostEngineCostsItsJobs() {
    var app = App()
    app.press("a", "4")
    app.command("evaluate text.txt")
    app.send(.jobStarted(JobID(1), .evaluate, title: "evaluate"))
    let plan = app.state.history.current
    app.clearEffects()
    app.handle(.link(.lost(reason: "the engine was killed")))
    #expect(app.screen.contains("The engine was killed: evaluate lost, the plan is as it was"))
    #expect(app.state.jobs.front == nil)
    #expect(
      app.commands.prefix(2) == [.open(path: app.state.model?.whole.path ?? ""), .setPlan(plan)])
    let (marks, history) = (app.state.table.marks, app.state.history)
    app.clearEffects()
    app.send(.opened(.synthetic()))
    #expect(app.state.table.marks == marks && app.state.history == history)
    #expect(app.state.model?.schemes.contains { !$0.keepsLayer } == true)
    // Nothing of it begins anew.
    #expect(!app.effects.contains { if case .openSession = $0 { true } else { false } })
  }

  @Test func oneThatIsLostAgainWaitsForWhatIsAsked() {
    var app = App()
    app.press("a", "4")
    app.handle(.link(.lost(reason: "the engine was killed")))
    app.clearEffects()
    app.handle(.link(.lost(reason: "the engine was killed")))
    #expect(app.commands.allSatisfy { if case .look = $0 { true } else { false } })
    #expect(app.screen.contains("tries once more"))
    app.press("j", "k")
    #expect(!app.commands.contains { if case .open = $0 { true } else { false } })
    app.press("5")
    let commands = app.commands.filter { if case .look = $0 { false } else { true } }
    guard case .open? = commands.first else {
      Issue.record("no engine is started: \(commands)")
      return
    }
    #expect(commands.contains(.setPlan(app.state.history.current)))
  }

  @Test func whatAnEvaluationHadFoundStays() {
    var app = App()
    app.press("a", "4")
    app.command("evaluate text.txt")
    app.send(.evaluating(JobID(1), result))
    app.handle(.link(.lost(reason: "the engine was killed")))
    #expect(app.state.evaluations.all.map(\.evaluation.result) == [result])
  }

  @Test func anEngineThatIsLostWhileItOpensAModel() {
    var app = App(nil)
    app.state.opening = .opening(path: "model")
    app.handle(.link(.lost(reason: "ssh host: Connection refused")))
    #expect(app.state.opening == .failed(path: "model", reason: "ssh host: Connection refused"))
    #expect(app.screen.contains("Connection refused"))
  }

  // MARK: Found at work

  /// A session with a plan of 4 bits, closed, and then another workbench that finds its engine.
  private func comeBack(
    to jobs: [JobRecord], in folder: TemporaryFolder, isLeft: Bool = false
  ) -> KeptSession {
    let model = ModelDescription.synthetic()
    do {
      var before = KeptSession(in: folder.path, model: model)
      before.act { $0.press("a", "4") }
    }
    var after = KeptSession(in: folder.path, model: nil)
    var record = EngineRecord(
      path: model.path, model: model, plan: plan(bits: 4, of: model), jobs: jobs)
    record.isLeft = isLeft
    after.act {
      if isLeft { $0.send(.opened(model)) }
      $0.handle(.link(.attached(record)))
      // What comes meanwhile is not lost.
      $0.send(.jobProgress(JobID(3), JobProgress(completed: 7, total: 10)))
    }
    return after
  }

  @Test func aRunningEvaluationIsTakenUp() throws {
    let folder = try TemporaryFolder()
    let job = JobRecord(
      id: JobID(3), kind: .evaluate, title: "evaluate", command: evaluation.command,
      plan: plan(bits: 4, of: .synthetic()), events: [.evaluating(JobID(3), result)])
    var session = comeBack(to: [job], in: folder)
    #expect(session.app.state.overlay == nil)
    #expect(session.app.screen.contains("Still under way: evaluate text.txt"))
    #expect(session.app.state.jobs.front?.progress?.completed == 7)
    #expect(session.app.state.history.past.count == 1)
    session.act {
      $0.send(.evaluated(JobID(3), result))
      $0.send(.jobEnded(JobID(3), .finished))
    }
    #expect(session.app.state.evaluations.last?.result == result)
    #expect(session.app.state.evaluations.last?.plan == job.plan)
    // The session's plan is not the engine's here, and holds.
    #expect(session.asked.contains(.engine(.setPlan(session.app.state.history.current))))
    // The next job has a number of its own.
    session.act { $0.command("evaluate other.txt") }
    #expect(session.app.state.jobs.running(.evaluate)?.id == JobID(4))
  }

  @Test(arguments: [false, true]) func whatEndedMeanwhileIsToldOnce(_ isLeft: Bool) throws {
    let folder = try TemporaryFolder()
    let job = JobRecord(
      id: JobID(3), kind: .evaluate, title: "evaluate", command: evaluation.command,
      plan: plan(bits: 4, of: .synthetic()), events: [.evaluated(JobID(3), result)],
      outcome: .finished)
    do {
      var session = comeBack(to: [job], in: folder, isLeft: isLeft)
      if isLeft { session.act { $0.press("y") } }
      #expect(session.app.screen.contains("Done while nobody was here: evaluate text.txt"))
      #expect(session.app.state.evaluations.all.count == 1)
    }
    let again = comeBack(to: [job], in: folder)
    #expect(again.app.state.evaluations.all.count == 1)
  }

  @Test func anAnswerGoesOn() throws {
    let folder = try TemporaryFolder()
    let tokens = (0..<3).map { index in
      GeneratedToken(
        side: .reference, index: index, id: index, text: "word\(index) ", tokensPerSecond: 9)
    }
    let job = JobRecord(
      id: JobID(3), kind: .generate, title: "answer",
      command: .generate(JobID(3), GenerationRequest(prompt: "Tell me")),
      events: tokens.dropLast().map { .token(JobID(3), $0) })
    var session = comeBack(to: [job], in: folder)
    session.act { $0.send(.token(JobID(3), tokens[2])) }
    #expect(session.app.screen.contains("word0 word1 word2"))
  }

  // MARK: Paths

  @Test func pathsAreThoseOfTheEngine() {
    var app = App()
    app.state.directory = "/here"
    app.state.homeDirectory = "/home/me"
    #expect(app.state.expanded("text.txt") == "text.txt")
    app.handle(.link(.connected(EnginePlace(home: "/home/me", directory: "/here"))))
    #expect(app.state.expanded("text.txt") == "text.txt")
    app.handle(.link(.connected(EnginePlace(home: "/home/me", directory: "/there"))))
    #expect(app.state.expanded("text.txt") == "/here/text.txt")
    #expect(app.state.expanded("~/text.txt") == "/home/me/text.txt")
    app.handle(
      .link(.connected(EnginePlace(host: "host", home: "/home/you", directory: "/there"))))
    #expect(app.state.expanded("text.txt") == "text.txt")
    #expect(app.state.expanded("~/text.txt") == "/home/you/text.txt")
  }
}
