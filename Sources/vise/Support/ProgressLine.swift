import Compression
import Engine

/// One line on standard error that says how far a job is; nothing unless that is a terminal.
struct ProgressLine {
  private let isShown = OutputStream.error.isTerminal
  private var isDrawn = false

  /// Shows `title` and how far it is, in place of what was shown before; exports count bytes.
  mutating func show(_ title: String, _ kind: JobKind?, _ progress: JobProgress) {
    guard isShown else { return }
    let done =
      kind == .export
      ? "\(progress.completed.megabytes)/\(progress.total.megabytes) MB"
      : "\(progress.completed)/\(progress.total)"
    let left = progress.secondsLeft.map { ", \($0.fixed(0)) s left" } ?? ""
    OutputStream.error.replaceLine(with: "\(title) \(done)\(left)")
    isDrawn = true
  }

  /// Takes the line away.
  mutating func clear() {
    guard isDrawn else { return }
    OutputStream.error.replaceLine(with: nil)
    isDrawn = false
  }
}
