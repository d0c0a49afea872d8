import TestSupport
import Testing

@testable import Engine

@Suite struct ProgressMeterTests {
  @Test func staysSilentBetweenReports() {
    var meter = ProgressMeter(workLeft: 100, now: .zero)
    let reports = [49, 50, 99, 100].map {
      meter.report(completed: 1, of: 10, workLeft: 90, now: .milliseconds($0))
    }
    #expect(reports.map { $0 != nil } == [false, true, false, true])
  }

  @Test func evenPaceGivesTheTimeLeft() throws {
    var meter = ProgressMeter(workLeft: 100, now: .zero)
    for second in 1...4 {
      let left = 100 - 10 * Double(second)
      let progress = meter.report(
        completed: second, of: 10, workLeft: left, now: .seconds(second))
      #expect(progress?.completed == second)
      #expect(progress?.total == 10)
      let secondsLeft = try #require(progress?.secondsLeft)
      #expect(abs(secondsLeft - Double(10 - second)) < 1e-9)
    }
  }

  /// Steps whose pace differs by a factor of nine, in any order: from a tenth on, the end that is told stays where it is.
  @Test(arguments: 1...20) func theEndDoesNotSwing(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let steps = (0..<400).map { _ in Double.random(in: 0.02...0.18, using: &random) }
    let whole = steps.reduce(0, +)
    var meter = ProgressMeter(workLeft: Double(steps.count), now: .zero)
    var time = 0.0
    for (index, step) in steps.enumerated() {
      time += step
      let progress = meter.report(
        completed: index, of: steps.count, workLeft: Double(steps.count - index - 1),
        now: .seconds(time))
      guard index >= steps.count / 10, let left = progress?.secondsLeft else { continue }
      #expect(abs(time + left - whole) < 0.25 * whole)
    }
  }

  @Test func anEstimateStandsInAtFirstAndIsCorrected() throws {
    var meter = ProgressMeter(workLeft: 100, estimate: 40, now: .zero)
    func left(_ work: Double, _ now: Duration) throws -> Double {
      try #require(
        meter.report(completed: 0, of: 1, workLeft: work, now: now)?.secondsLeft)
    }
    // Nothing is done: as estimated.
    #expect(abs(try left(100, .milliseconds(100)) - 40) < 1e-9)
    // It takes twice as long: after a tenth both count the same, in the end only what was measured does.
    let first = try left(90, .seconds(1) + .milliseconds(900))
    #expect(abs(first - 90 * (0.5 * 0.19 + 0.5 * 0.4)) < 1e-9)
    var last = first
    for percent in 11...99 {
      last = try left(Double(100 - percent), .milliseconds(1900 + 190 * (percent - 10)))
    }
    #expect(abs(last - 0.19) < 0.03)
  }

  @Test func waitingDoesNotCount() throws {
    var meter = ProgressMeter(workLeft: 100, now: .zero)
    _ = meter.report(completed: 1, of: 10, workLeft: 90, now: .seconds(1))
    _ = meter.report(completed: 1, of: 10, workLeft: 90, now: .seconds(600))
    let progress = meter.report(completed: 2, of: 10, workLeft: 80, now: .seconds(601))
    // Two seconds of the wait count, since a step may be that long.
    let secondsLeft = try #require(progress?.secondsLeft)
    #expect(abs(secondsLeft - 16) < 1e-9)
  }

  @Test func timeLeftIsUnknownBeforeAnyWork() {
    var meter = ProgressMeter(workLeft: 100, now: .zero)
    let progress = meter.report(completed: 0, of: 10, workLeft: 100, now: .seconds(1))
    #expect(progress == JobProgress(completed: 0, total: 10, secondsLeft: nil))
    // Neither is the pace of the first steps known.
    var other = ProgressMeter(workLeft: 100, now: .zero)
    let early = other.report(completed: 0, of: 10, workLeft: 99, now: .milliseconds(500))
    #expect(early == JobProgress(completed: 0, total: 10, secondsLeft: nil))
  }

  @Test func workThatIsNoLongerAskedForIsNotDone() throws {
    var meter = ProgressMeter(workLeft: 1000, now: .zero)
    _ = meter.report(completed: 1, of: 10, workLeft: 900, now: .seconds(1))
    meter.replan(workLeft: 180)
    let progress = meter.report(completed: 1, of: 2, workLeft: 180, now: .seconds(2))
    // A hundred units took two seconds.
    let secondsLeft = try #require(progress?.secondsLeft)
    #expect(abs(secondsLeft - 3.6) < 1e-9)
  }

  @Test func moreWorkThanBeforeKeepsThePace() throws {
    var meter = ProgressMeter(workLeft: 100, now: .zero)
    _ = meter.report(completed: 1, of: 10, workLeft: 90, now: .seconds(1))
    let progress = meter.report(completed: 1, of: 20, workLeft: 200, now: .seconds(1))
    #expect(progress == nil)
    let later = meter.report(completed: 2, of: 20, workLeft: 190, now: .seconds(2))
    let secondsLeft = try #require(later?.secondsLeft)
    #expect(abs(secondsLeft - 19) < 1e-9)
  }
}
