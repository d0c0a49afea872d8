import Terminal

/// Where the parts of the Hardware screen are.
struct HardwareLayout: Hashable, Sendable {
  let listBox: Rect
  /// The line of headings above the rows.
  let heading: Rect
  let rows: Rect
  let detailBox: Rect
  /// The figures of the machine under the cursor, with their formulas.
  let detail: Rect

  init(body: Rect, count: Int) {
    // The list takes what it needs, up to two fifths of the screen: formulas are what is read.
    let (list, detail) = body.splitTop(min(max(count + 3, 6), max(6, body.rows * 2 / 5)))
    (listBox, detailBox) = (list, detail)
    (heading, rows) = list.inset(columns: 1, rows: 1).splitTop(1)
    self.detail = detail.inset(columns: 2, rows: 1)
  }
}

/// A column of the list of machines besides the name.
enum MachineColumn: String, ListColumn {
  case memory, needed, left, context, prompt = "prompt/s", decode = "tok/s", bound = "bound by"
  case joules = "J/token", cost = "USD/M"

  var width: Int {
    switch self {
    case .memory, .needed, .left: 9
    case .context: 8
    case .prompt, .decode: 8
    case .bound: 23
    case .joules: 7
    case .cost: 6
    }
  }

  static let importance: [MachineColumn] = [
    .left, .decode, .needed, .prompt, .memory, .context, .bound, .joules, .cost,
  ]
}
