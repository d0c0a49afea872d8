import Terminal

/// A piece of text with what it is.
struct Segment: Hashable, Sendable {
  var text: String
  var style: Style

  init(_ text: String, _ style: Style) {
    self.text = text
    self.style = style
  }
}

/// Draws into a frame in the words of views: roles, glyphs, segments.
struct Painter {
  var frame: Frame
  let styles: StylePalette
  let glyphs: Glyphs
  /// Whether an overlay is drawn, whose ground is another.
  var isPopup = false

  init(size: Size, styles: StylePalette, glyphs: Glyphs) {
    frame = Frame(size: size, style: styles[.text])
    self.styles = styles
    self.glyphs = glyphs
  }

  /// A role's style where the painter is.
  func style(_ role: ThemeRole) -> Style {
    isPopup ? styles.onPopup(styles[role]) : styles[role]
  }

  func segment(_ text: String, _ role: ThemeRole = .text) -> Segment {
    Segment(text, style(role))
  }

  /// Writes text, cut with an ellipsis where it does not fit, and returns the columns it took.
  @discardableResult
  mutating func put(
    _ text: String, _ role: ThemeRole = .text, at point: Point, maxColumns: Int
  ) -> Int {
    put([segment(text, role)], at: point, maxColumns: maxColumns)
  }

  /// Writes segments after each other, the last that fits cut with an ellipsis.
  @discardableResult
  mutating func put(_ segments: [Segment], at point: Point, maxColumns: Int) -> Int {
    var used = 0
    for segment in segments {
      let room = maxColumns - used
      guard room > 0 else { break }
      let text = truncated(segment.text, to: room, ellipsis: glyphs.ellipsis)
      used += frame.put(
        text, at: Point(column: point.column + used, row: point.row), style: segment.style,
        maxColumns: room)
    }
    return used
  }

  /// Makes a link of the cells from `point` on, if `address` is a path from the root or an address of the web.
  mutating func link(_ address: String, at point: Point, columns: Int) {
    guard columns > 0 else { return }
    let range = point.column..<point.column + columns
    let link =
      Link(url: address, row: point.row, columns: range)
      ?? Link(path: address, row: point.row, columns: range)
    if let link { frame.links.append(link) }
  }

  /// Writes segments so that they end before `endColumn`; nothing if they do not fit.
  @discardableResult
  mutating func put(_ segments: [Segment], endingAt endColumn: Int, row: Int, maxColumns: Int)
    -> Int
  {
    let width = Self.width(of: segments)
    guard width <= maxColumns else { return 0 }
    return put(segments, at: Point(column: endColumn - width, row: row), maxColumns: width)
  }

  /// The parts that have room together: what has none is left out rather than cut, the last first.
  static func fitting(_ parts: [[Segment]], _ columns: Int) -> [Segment] {
    var parts = parts
    while parts.count > 1, width(of: parts.flatMap(\.self)) > columns { parts.removeLast() }
    return parts.flatMap(\.self)
  }

  static func width(of segments: [Segment]) -> Int {
    segments.reduce(0) { $0 + displayWidth(of: $1.text) }
  }

  /// Text filled up or cut to a width.
  func fit(_ text: String, _ columns: Int, _ alignment: TextAlignment = .leading) -> String {
    padded(text, to: columns, alignment: alignment, ellipsis: glyphs.ellipsis)
  }

  /// A text that may be a path: of one that is too wide the end stays, which names the file.
  func fit(subject: String, _ columns: Int) -> String {
    guard subject.contains("/"), !subject.contains(" "), displayWidth(of: subject) > columns else {
      return fit(subject, columns)
    }
    var end = Substring(subject)
    while displayWidth(of: glyphs.ellipsis) + displayWidth(of: String(end)) > columns, !end.isEmpty
    {
      end = end.dropFirst()
    }
    return fit(glyphs.ellipsis + end, columns)
  }

  /// Blanks between columns, and before a figure that ends its column: figures alone are underlined.
  func space(before text: String, in columns: Int) -> String {
    String(repeating: " ", count: 2 + max(0, columns - displayWidth(of: text)))
  }

  /// A bar filled to a share of its width, with its edges.
  func bar(_ share: Double, columns: Int, filled: ThemeRole = .gauge) -> [Segment] {
    let inner = max(0, columns - 2)
    let eighths = Int((min(max(share.isFinite ? share : 0, 0), 1) * Double(inner * 8)).rounded())
    var full = String(repeating: glyphs.barFull, count: eighths / 8)
    if eighths % 8 > 0, !glyphs.barPart.isEmpty {
      full.append(glyphs.barPart[eighths % 8 - 1])
    }
    let empty = String(repeating: glyphs.barEmpty, count: max(0, inner - full.count))
    return [
      segment(glyphs.barStart, .border), segment(full, filled), segment(empty, .gaugeEmpty),
      segment(glyphs.barEnd, .border),
    ]
  }

  /// The box of an overlay: everything drawn after it stands on the overlay's ground.
  mutating func openPopup(_ rect: Rect, title: String, hint: String = "") {
    isPopup = true
    frame.links.removeAll { link in
      (rect.row..<rect.endRow).contains(link.row)
        && link.columns.overlaps(rect.column..<rect.endColumn)
    }
    frame.fill(rect, style: style(.popup))
    frame.drawBox(
      rect, style: style(.popupBorder), glyphs: glyphs.box, title: title, titleStyle: style(.focus),
      footer: hint)
  }
}
