import Terminal

/// Where the parts of the start screen are.
struct StartLayout: Hashable, Sendable {
  let box: Rect
  let rows: Rect

  init(body: Rect) {
    box = body
    rows = body.inset(columns: 1, rows: 1)
  }
}
