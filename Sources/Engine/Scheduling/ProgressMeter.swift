/// Turns a job's steps into progress that is worth showing: not too often, with the time left.
struct ProgressMeter {
  /// Shortest time between two reports: about 20 a second.
  static let interval = Duration.milliseconds(50)
  /// How much of the smoothed pace the newest measurement makes up.
  private static let weight = 0.25

  private var last: (time: Duration, workLeft: Double)
  private var secondsPerWork: Double?

  /// A meter of a job that starts now, with so much work left, in any measure.
  init(workLeft: Double, now: Duration) { last = (now, workLeft) }

  /// The progress to report now.
  ///
  /// - Parameters:
  ///   - completed: units done, as people count them.
  ///   - total: units of the whole job.
  ///   - workLeft: what is left in the measure of the start; it may grow when there is more to do.
  ///   - now: the time.
  /// - Returns: nil while the last report is less than ``interval`` ago.
  mutating func report(
    completed: Int, of total: Int, workLeft: Double, now: Duration
  ) -> JobProgress? {
    let elapsed = now - last.time
    guard elapsed >= Self.interval else { return nil }
    if workLeft < last.workLeft {
      let pace = elapsed / .seconds(1) / (last.workLeft - workLeft)
      secondsPerWork = secondsPerWork.map { $0 + Self.weight * (pace - $0) } ?? pace
    }
    last = (now, workLeft)
    return JobProgress(
      completed: completed, total: total, secondsLeft: secondsPerWork.map { $0 * workLeft })
  }
}
