import Terminal

/// Where the parts of the Chat screen are.
struct ChatLayout: Hashable, Sendable {
  /// The conversation, with its border.
  let conversation: Rect
  /// What is known of the answers, with its border; nil where the conversation has all the place.
  let detail: Rect?
  /// The names of the views, in the upper border of the conversation.
  let tabs: TabStrip

  init(body: Rect, view: ReadingState.View) {
    if view == .answers {
      (conversation, detail) = (body, nil)
    } else {
      let (upper, lower) = body.splitTop(max(5, body.rows * 2 / 5))
      (conversation, detail) = (upper, lower)
    }
    tabs = TabStrip(
      ReadingState.View.allCases.map(\.rawValue),
      at: Point(column: body.column + 1, row: body.row), maxColumns: body.columns - 2, gap: 1)
  }

  /// The place inside the detail's border.
  var inside: Rect { (detail ?? conversation).inset() }

  /// The rows of a list in the detail, below a row of headings.
  var rows: Rect { inside.splitTop(1).rest }
}
