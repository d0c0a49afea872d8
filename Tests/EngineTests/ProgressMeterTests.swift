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

  @Test func oneSlowStretchIsSmoothed() throws {
    var meter = ProgressMeter(workLeft: 100, now: .zero)
    _ = meter.report(completed: 1, of: 10, workLeft: 90, now: .seconds(1))
    let progress = meter.report(completed: 2, of: 10, workLeft: 80, now: .seconds(6))
    // A quarter of the way from 0.1 s to 0.5 s for each unit of work.
    let secondsLeft = try #require(progress?.secondsLeft)
    #expect(abs(secondsLeft - 16) < 1e-9)
  }

  @Test func timeLeftIsUnknownBeforeAnyWork() {
    var meter = ProgressMeter(workLeft: 100, now: .zero)
    let progress = meter.report(completed: 0, of: 10, workLeft: 100, now: .seconds(1))
    #expect(progress == JobProgress(completed: 0, total: 10, secondsLeft: nil))
  }

  @Test func moreWorkThanBeforeKeepsThePace() throws {
    var meter = ProgressMeter(workLeft: 100, now: .zero)
    _ = meter.report(completed: 1, of: 10, workLeft: 90, now: .seconds(1))
    let progress = meter.report(completed: 1, of: 20, workLeft: 200, now: .seconds(2))
    let secondsLeft = try #require(progress?.secondsLeft)
    #expect(abs(secondsLeft - 20) < 1e-9)
  }
}
