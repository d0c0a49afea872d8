import Terminal

/// Where the parts of the Jobs screen are.
struct JobsLayout: Hashable, Sendable {
  let list: Rect
  /// Of the job under the cursor; without rows where it has none.
  let log: Rect

  init(body: Rect, hasLog: Bool) {
    (list, log) = body.splitTop(hasLog ? max(body.rows / 3, 5) : body.rows)
  }
}
