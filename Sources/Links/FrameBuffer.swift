/// Cuts what another process sends into frames: four bytes that count those which follow, the highest first.
///
/// A connection begins with a line that is always the same. What stands before it is not ours: shells print greetings where
/// nobody reads them.
public struct FrameBuffer: Sendable {
  /// What a connection begins with, in both directions.
  public static let opening = Array("vise engine frames\n".utf8)

  /// Most bytes before the opening.
  static let strayLimit = 65_536

  private let limit: Int
  private var bytes: [UInt8] = []
  /// Bytes of `bytes` that are taken already.
  private var taken = 0
  private var isOpen = false

  /// - Parameter limit: most bytes of a frame; a longer one is an error before any of it is kept.
  public init(limit: Int) { self.limit = limit }

  /// Adds bytes as they came.
  public mutating func append(_ new: [UInt8]) {
    // Moved together only when half of it is taken, so that no byte is moved often.
    if taken > bytes.count / 2 {
      bytes.removeFirst(taken)
      taken = 0
    }
    bytes += new
  }

  /// The next frame that is complete; nil when more bytes are needed for it.
  ///
  /// - Throws: ``LinkError`` when a frame says that it is longer than frames may be, or no opening comes.
  public mutating func next() throws(LinkError) -> [UInt8]? {
    if !isOpen {
      guard try skipToOpening() else { return nil }
      isOpen = true
    }
    guard bytes.count - taken >= 4 else { return nil }
    let length = bytes[taken..<taken + 4].reduce(0) { $0 << 8 | Int($1) }
    guard length <= limit else {
      throw LinkError("a message of \(length) bytes is more than the \(limit) that one may have")
    }
    guard bytes.count - taken - 4 >= length else { return nil }
    defer { taken += 4 + length }
    return Array(bytes[taken + 4..<taken + 4 + length])
  }

  /// What came before the opening, for people; empty once that has come.
  public var strayText: String {
    isOpen ? "" : String(decoding: bytes[taken...].suffix(400), as: UTF8.self)
  }

  private mutating func skipToOpening() throws(LinkError) -> Bool {
    let opening = Self.opening
    var place = taken
    while place + opening.count <= bytes.count {
      if bytes[place..<place + opening.count].elementsEqual(opening) {
        taken = place + opening.count
        return true
      }
      place += 1
    }
    guard bytes.count - taken <= Self.strayLimit else {
      throw LinkError("what answers is no engine of Vise")
    }
    return false
  }

  /// A frame as it is sent.
  ///
  /// - Throws: ``LinkError`` when it is longer than `limit`.
  public static func frame(_ content: [UInt8], limit: Int) throws(LinkError) -> [UInt8] {
    guard content.count <= limit, let length = UInt32(exactly: content.count) else {
      throw LinkError(
        "a message of \(content.count) bytes is more than the \(limit) that one may have")
    }
    return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + content
  }
}
