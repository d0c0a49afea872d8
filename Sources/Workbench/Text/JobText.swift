import Engine

/// How a job stands, for every place that shows it.
struct JobText {
  private let job: Job

  init(_ job: Job) { self.job = job }

  /// A bar, the units done, and the time left.
  func progress(barColumns: Int, _ painter: Painter) -> [Segment] {
    if job.isWaiting { return [painter.segment("waiting", .dim)] }
    guard let progress = job.progress, progress.total > 0 else {
      return [painter.segment("running", .text)]
    }
    let share = Double(progress.completed) / Double(progress.total)
    let left = progress.secondsLeft.map { "  \(Figures.duration($0)) left" } ?? ""
    return painter.bar(share, columns: barColumns) + [
      painter.segment(" \(progress.completed)/\(progress.total)"), painter.segment(left, .dim),
    ]
  }
}
