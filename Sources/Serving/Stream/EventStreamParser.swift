/// Server-sent events (the WHATWG's HTML standard, 9.2), of which the API uses the data alone.
///
/// Bytes may come in pieces of any size: the events do not depend on where they are split.
struct EventStreamParser {
  /// Most bytes of an event; a server that sends more is not speaking this protocol.
  static let eventLimit = 1 << 20

  /// There was an event of more than ``eventLimit`` bytes.
  struct TooLong: Error, Hashable {}

  private var line: [UInt8] = []
  /// The data lines of the event so far, with breaks between them; nil before the first.
  private var data: [UInt8]?
  /// Whether the byte before was a carriage return, which a line feed may follow.
  private var isAfterReturn = false
  private var isAtStart = true

  /// Takes the next bytes.
  ///
  /// - Returns: the data of each event that they complete.
  mutating func append(_ bytes: some Sequence<UInt8>) throws(TooLong) -> [[UInt8]] {
    var events: [[UInt8]] = []
    for byte in bytes {
      let endsReturn = isAfterReturn && byte == UInt8(ascii: "\n")
      isAfterReturn = byte == UInt8(ascii: "\r")
      if endsReturn { continue }
      if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
        if let event = endLine() { events.append(event) }
      } else {
        line.append(byte)
      }
      if line.count + (data?.count ?? 0) > Self.eventLimit { throw TooLong() }
    }
    return events
  }

  /// What is left when the stream ends: an event that no empty line has completed.
  mutating func finish() -> [UInt8]? {
    if !line.isEmpty { _ = endLine() }
    return takeData()
  }

  /// Ends the line; an empty one ends the event.
  private mutating func endLine() -> [UInt8]? {
    defer { line.removeAll(keepingCapacity: true) }
    if isAtStart {
      isAtStart = false
      if line.starts(with: [0xef, 0xbb, 0xbf]) { line.removeFirst(3) }
    }
    if line.isEmpty { return takeData() }
    let name = line.prefix { $0 != UInt8(ascii: ":") }
    guard name.elementsEqual("data".utf8) else { return nil }
    var value = line.dropFirst(name.count + 1)
    if value.first == UInt8(ascii: " ") { value.removeFirst() }
    if data == nil { data = [] } else { data?.append(UInt8(ascii: "\n")) }
    data?.append(contentsOf: value)
    return nil
  }

  /// The event's data; nil where it has none, and is no event then.
  private mutating func takeData() -> [UInt8]? {
    defer { data = nil }
    return data?.isEmpty == false ? data : nil
  }
}
