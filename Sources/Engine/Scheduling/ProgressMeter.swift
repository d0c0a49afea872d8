/// Turns a job's steps into progress that is worth showing: not too often, with the time left, which does not swing.
///
/// The time left follows from the mean pace of all that is done. Before that says much, an estimate stands in for it, if one was made.
struct ProgressMeter {
  /// Shortest time between two reports: about 20 a second.
  static let interval = Duration.milliseconds(50)
  /// The longest time between two steps that counts: whoever took longer waited for something else.
  private static let longestStep = Duration.seconds(2)
  /// Share of the work after which what was measured counts as much as the estimate.
  private static let trust = 0.1
  /// Share of the work before which its pace says nothing, where it takes less than ``leastTime``.
  private static let leastShare = 0.02
  private static let leastTime = Duration.seconds(1)

  /// Seconds of the whole job, as they were estimated; nil for none.
  private let estimate: Double?
  private var lastStep: Duration
  private var lastReport: Duration
  /// Time that was worked.
  private var worked = Duration.zero
  private var done = 0.0
  private var workLeft: Double

  /// A meter of a job that starts now, with so much work left, in any measure.
  init(workLeft: Double, estimate: Double? = nil, now: Duration) {
    self.workLeft = workLeft
    self.estimate = estimate
    lastStep = now
    lastReport = now
  }

  /// Takes on that other work is left than before, of which nothing was done.
  mutating func replan(workLeft: Double) { self.workLeft = workLeft }

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
    worked += min(now - lastStep, Self.longestStep)
    done += max(self.workLeft - workLeft, 0)
    (lastStep, self.workLeft) = (now, workLeft)
    guard now - lastReport >= Self.interval else { return nil }
    lastReport = now
    return JobProgress(completed: completed, total: total, secondsLeft: secondsLeft)
  }

  private var secondsLeft: Double? {
    let whole = done + workLeft
    guard whole > 0 else { return 0 }
    let measured = done > 0 ? worked / .seconds(1) / done : nil
    let share = done / whole
    guard let estimate else {
      guard share >= Self.leastShare || worked >= Self.leastTime else { return nil }
      return measured.map { $0 * workLeft }
    }
    let weight = share / (share + Self.trust)
    let estimated = estimate / whole
    return workLeft * (weight * (measured ?? estimated) + (1 - weight) * estimated)
  }
}
