import Checkpoints
import Testing

@testable import Engine

@Suite final class JobQueueTests {
  /// What fake jobs share: who stepped, the time, who waits.
  private final class Stage {
    var log: [Int] = []
    var time = Duration.zero
    var waiting: Set<Int> = []
  }

  private struct FakeJob: Job {
    let id: JobID
    let urgency: Urgency
    let cost: Duration
    let stage: Stage

    func urgency(in workspace: Workspace) -> Urgency { urgency }

    func run(_ turn: Turn) throws(JobFailure) {
      while true {
        try turn.wait { !stage.waiting.contains(id.number) }
        stage.log.append(id.number)
        stage.time += cost
        try turn.tick()
      }
    }
  }

  private let stage = Stage()
  private let workspace: Workspace
  private var queue = JobQueue()

  init() throws {
    let stage = stage
    let model = try TinyModel()
    workspace = Workspace(
      try Checkpoint.open(model.path), settings: EngineSettings(),
      now: { stage.time }, tell: { _ in })
  }

  private func job(_ number: Int, _ urgency: Urgency, milliseconds: Int = 10) -> FakeJob {
    FakeJob(id: JobID(number), urgency: urgency, cost: .milliseconds(milliseconds), stage: stage)
  }

  private func run(steps: Int) -> [Int] {
    stage.log = []
    // A job that finds that it has to wait makes no step.
    while stage.log.count < steps, queue.step() != nil {}
    return stage.log
  }

  @Test func urgentGoesFirst() {
    queue.add(job(1, .background), in: workspace)
    queue.add(job(2, .live), in: workspace)
    queue.add(job(3, .inSight), in: workspace)
    #expect(run(steps: 3) == [3, 3, 3])
    queue.remove(JobID(3))
    #expect(run(steps: 3) == [2, 2, 2])
    queue.remove(JobID(2))
    #expect(run(steps: 2) == [1, 1])
  }

  @Test func equalsTakeTurns() {
    queue.add(job(1, .live), in: workspace)
    queue.add(job(2, .live), in: workspace)
    #expect(run(steps: 6) == [1, 2, 1, 2, 1, 2])
  }

  @Test func equalsShareTimeNotSteps() {
    queue.add(job(1, .live, milliseconds: 30), in: workspace)
    queue.add(job(2, .live, milliseconds: 10), in: workspace)
    let log = run(steps: 40)
    #expect(log.count { $0 == 1 } == 10)
    #expect(log.count { $0 == 2 } == 30)
  }

  @Test func newcomersOweNothingAndAreOwedNothing() {
    queue.add(job(1, .live), in: workspace)
    #expect(run(steps: 10) == Array(repeating: 1, count: 10))
    queue.add(job(2, .live), in: workspace)
    let log = run(steps: 10)
    #expect(abs(log.count { $0 == 1 } - log.count { $0 == 2 }) <= 1)
  }

  @Test func waitingIsNotSavedUp() {
    queue.add(job(1, .live), in: workspace)
    queue.add(job(2, .live), in: workspace)
    stage.waiting = [2]
    #expect(run(steps: 10) == Array(repeating: 1, count: 10))
    stage.waiting = []
    let log = run(steps: 10)
    #expect(abs(log.count { $0 == 1 } - log.count { $0 == 2 }) <= 1)
  }

  @Test func nothingStepsWhenAllWait() {
    queue.add(job(1, .live), in: workspace)
    stage.waiting = [1]
    #expect(run(steps: 1) == [])
    #expect(queue.ids == [JobID(1)])
  }
}
