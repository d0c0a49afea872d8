/// A string of a template, which knows of every character whether it came with the messages.
///
/// An element is a Unicode scalar; ``inputMark`` is set in those that a person may have typed. Cutting, joining and
/// replacing move elements and so their marks; comparing looks at the scalars alone.
struct TemplateText: Hashable, Sendable, ExpressibleByStringLiteral {
  static let inputMark: UInt32 = 1 << 31

  var elements: [UInt32]

  init(elements: some Sequence<UInt32>) { self.elements = Array(elements) }

  /// Text that the template, or Vise itself, wrote.
  init(_ text: String) { elements = text.unicodeScalars.map(\.value) }

  init(stringLiteral text: String) { self.init(text) }

  /// Text that came with the messages.
  init(input text: String) { elements = text.unicodeScalars.map { $0.value | Self.inputMark } }

  var count: Int { elements.count }
  var isEmpty: Bool { elements.isEmpty }

  var string: String {
    var scalars = String.UnicodeScalarView()
    for element in elements { scalars.append(Self.scalar(element)) }
    return String(scalars)
  }

  static func scalar(_ element: UInt32) -> Unicode.Scalar {
    Unicode.Scalar(element & ~inputMark) ?? "\u{fffd}"
  }

  static func == (left: TemplateText, right: TemplateText) -> Bool {
    left.count == right.count
      && zip(left.elements, right.elements).allSatisfy { ($0 ^ $1) & ~inputMark == 0 }
  }

  func hash(into hasher: inout Hasher) {
    for element in elements { hasher.combine(element & ~Self.inputMark) }
  }

  /// By scalars, as Python orders strings.
  static func < (left: TemplateText, right: TemplateText) -> Bool {
    left.elements.lexicographicallyPrecedes(right.elements) {
      $0 & ~inputMark < $1 & ~inputMark
    }
  }

  static func + (left: TemplateText, right: TemplateText) -> TemplateText {
    TemplateText(elements: left.elements + right.elements)
  }

  subscript(range: Range<Int>) -> TemplateText { TemplateText(elements: elements[range]) }

  /// The scalars, whoever wrote them.
  var scalars: [UInt32] { elements.map { $0 & ~Self.inputMark } }

  /// Bytes of the text in UTF-8.
  var utf8Count: Int {
    elements.reduce(0) { $0 + Unicode.UTF8.width(Self.scalar($1)) }
  }

  // MARK: - Searching

  /// Where `needle` starts first within `start..<end`; nil if it does not.
  ///
  /// An empty needle is found at once. Knuth, Morris and Pratt 1977: linear in both lengths, whatever the template asks for.
  func firstIndex(of needle: TemplateText, from start: Int = 0, to end: Int? = nil) -> Int? {
    let end = min(end ?? count, count)
    guard start >= 0, start + needle.count <= end else { return nil }
    if needle.isEmpty { return start }
    let pattern = needle.scalars
    // How many elements of the pattern's start also end its first `index + 1`.
    var borders = [0]
    for index in pattern.indices.dropFirst() {
      borders.append(Self.extended(borders[index - 1], by: pattern[index], pattern, borders))
    }
    var matched = 0
    for place in start..<end {
      matched = Self.extended(matched, by: elements[place] & ~Self.inputMark, pattern, borders)
      if matched == pattern.count { return place + 1 - matched }
    }
    return nil
  }

  private static func extended(
    _ matched: Int, by element: UInt32, _ pattern: [UInt32], _ borders: [Int]
  ) -> Int {
    var matched = matched
    while matched > 0, pattern[matched] != element { matched = borders[matched - 1] }
    return pattern[matched] == element ? matched + 1 : 0
  }

  /// Where `needle` starts last within `start..<end`.
  func lastIndex(of needle: TemplateText, from start: Int = 0, to end: Int? = nil) -> Int? {
    let end = min(end ?? count, count)
    guard start >= 0, start <= end else { return nil }
    return self[start..<end].reversed.firstIndex(of: needle.reversed).map {
      end - $0 - needle.count
    }
  }

  var reversed: TemplateText { TemplateText(elements: elements.reversed()) }

  /// Whether `other` stands at `place`.
  func holds(_ other: TemplateText, at place: Int) -> Bool {
    guard place >= 0, place + other.count <= count else { return false }
    return other.elements.indices.allSatisfy {
      (elements[place + $0] ^ other.elements[$0]) & ~Self.inputMark == 0
    }
  }

  func contains(_ needle: TemplateText) -> Bool { firstIndex(of: needle) != nil }

  /// How often `needle` occurs, without overlaps.
  func occurrences(of needle: TemplateText) -> Int {
    if needle.isEmpty { return count + 1 }
    var (found, place) = (0, 0)
    while let next = firstIndex(of: needle, from: place) {
      found += 1
      place = next + needle.count
    }
    return found
  }
}
