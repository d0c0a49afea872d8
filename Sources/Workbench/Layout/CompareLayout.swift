import Terminal

/// Where the parts of the Compare screen are.
struct CompareLayout: Hashable, Sendable {
  let listBox: Rect
  /// The line of headings above the rows.
  let heading: Rect
  let rows: Rect
  let detailBox: Rect
  let tabs: TabStrip
  /// What the shown tab is about, in the first row of the lower box.
  let summary: Rect
  let detail: Rect

  init(body: Rect, count: Int) {
    // The list takes what it needs, up to half of the screen.
    let (list, detail) = body.splitTop(min(max(count + 3, 6), body.rows / 2))
    (listBox, detailBox) = (list, detail)
    (heading, rows) = list.inset(columns: 1, rows: 1).splitTop(1)
    tabs = TabStrip(
      SnapshotList.Tab.allCases.map(\.rawValue),
      at: Point(column: detail.column + 1, row: detail.row), maxColumns: detail.columns - 2, gap: 1)
    (summary, self.detail) = detail.inset(columns: 1, rows: 1).splitTop(1)
  }
}

/// A column of a list of plans besides the name.
enum SnapshotColumn: String, ListColumn {
  case when, bytes, bpw, ppl = "PPL", kld = "KLD", top1 = "top-1", speed = "tok/s", text

  var width: Int {
    switch self {
    case .when: 16
    case .bytes: 9
    case .bpw: 5
    case .ppl: 13
    case .kld: 16
    case .top1: 6
    case .speed: 6
    case .text: 16
    }
  }

  /// The order in which columns are given up when there is no room for all: the first stay longest.
  static let importance: [SnapshotColumn] = [.kld, .bytes, .ppl, .bpw, .top1, .speed, .text]
  /// The same in the list of evaluations, which have no speed but a time.
  static let importanceInHistory: [SnapshotColumn] = [
    .kld, .when, .bytes, .ppl, .bpw, .text, .top1,
  ]
}
