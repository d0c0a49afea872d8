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
    // Exports count bytes.
    let counted =
      job.kind == .export
      ? "\(Figures.totalBytes(progress.completed)) of \(Figures.totalBytes(progress.total))"
      : "\(progress.completed)/\(progress.total)"
    return painter.bar(share, columns: barColumns) + [
      painter.segment(" " + counted), painter.segment(left, .dim),
    ]
  }
}
