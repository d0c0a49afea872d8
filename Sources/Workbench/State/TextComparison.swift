/// Where two texts part that grow at their ends, each at its own pace; blanks at their beginnings do not count.
struct TextComparison: Codable, Hashable, Sendable {
  private struct Text: Codable, Hashable, Sendable {
    var bytes: [UInt8] = []
    /// Whether nothing more comes because the text is complete.
    var isComplete = false

    mutating func append(_ text: String) {
      let isAtStart = bytes.isEmpty
      bytes += text.utf8.drop { isAtStart && $0 == UInt8(ascii: " ") }
    }
  }

  private var first = Text()
  private var second = Text()
  /// Bytes at the beginning that are known to be the same.
  private var same = 0
  /// Bytes of UTF-8 before the first character that differs; nil as long as there is none.
  private(set) var parting: Int?

  /// The number, from 1, of the first character that differs; nil as long as there is none.
  var partingCharacter: Int? {
    parting.map { String(decoding: first.bytes[..<$0], as: UTF8.self).count + 1 }
  }

  mutating func append(_ text: String, toFirst isFirst: Bool) {
    if isFirst { first.append(text) } else { second.append(text) }
    compare()
  }

  /// Says that a text is complete: the other parts from it where it goes on.
  mutating func end(first isFirst: Bool) {
    if isFirst { first.isComplete = true } else { second.isComplete = true }
    compare()
  }

  private mutating func compare() {
    guard parting == nil else { return }
    let length = min(first.bytes.count, second.bytes.count)
    while same < length, first.bytes[same] == second.bytes[same] { same += 1 }
    let hasEnded =
      first.isComplete && second.bytes.count > same || second.isComplete && first.bytes.count > same
    guard same < length || hasEnded else { return }
    // Characters that differ may begin alike.
    var start = same
    while start > 0, start < length, first.bytes[start] & 0xc0 == 0x80 { start -= 1 }
    parting = start
  }
}
