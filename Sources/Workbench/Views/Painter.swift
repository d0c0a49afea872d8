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

  /// Writes segments so that they end before `endColumn`; nothing if they do not fit.
  @discardableResult
  mutating func put(_ segments: [Segment], endingAt endColumn: Int, row: Int, maxColumns: Int)
    -> Int
  {
    let width = Self.width(of: segments)
    guard width <= maxColumns else { return 0 }
    return put(segments, at: Point(column: endColumn - width, row: row), maxColumns: width)
  }

  static func width(of segments: [Segment]) -> Int {
    segments.reduce(0) { $0 + displayWidth(of: $1.text) }
  }

  /// Text filled up or cut to a width.
  func fit(_ text: String, _ columns: Int, _ alignment: TextAlignment = .leading) -> String {
    padded(text, to: columns, alignment: alignment, ellipsis: glyphs.ellipsis)
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
    frame.fill(rect, style: style(.popup))
    frame.drawBox(
      rect, style: style(.popupBorder), glyphs: glyphs.box, title: title, titleStyle: style(.focus),
      footer: hint)
  }
}
