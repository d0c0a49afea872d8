import Checkpoints
import JSON

/// The texts of a JSON file: lines, the elements of an array, or one object.
struct TextDocuments: Sendable {
  /// One of them, and where it stands.
  struct Entry: Sendable {
    enum Place: Sendable {
      /// Both from 1.
      case line(Int)
      case element(Int)
      case whole
    }

    let place: Place
    let value: JSONValue
  }

  private enum Source: Sendable {
    case lines(JSONLines)
    case values(ArraySlice<Entry>)
  }

  static let none = TextDocuments(source: .values([]), path: "", note: nil)

  private var source: Source
  private let path: String
  /// What was taken for granted; nil for nothing.
  let note: String?

  private init(source: Source, path: String, note: String?) {
    self.source = source
    self.path = path
    self.note = note
  }

  /// The texts of a file that begins as JSON does; nil for plain text.
  ///
  /// - Throws: ``TextError`` for what is named as JSON, or begins as an object, and is none.
  init?(_ bytes: [UInt8], of path: String) throws(TextError) {
    let first = bytes.first { !JSONLines.isBlank($0) }
    if first == UInt8(ascii: "{") {
      self = try Self.objects(bytes, of: path)
    } else if first == UInt8(ascii: "["), let array = try Self.array(bytes, of: path) {
      self = array
    } else {
      return nil
    }
  }

  private static func objects(_ bytes: [UInt8], of path: String) throws(TextError) -> TextDocuments
  {
    let lines = JSONLines(bytes)
    var ahead = lines
    // An object that is not whole in its line goes on in the next.
    if let line = ahead.next(), (try? JSONReader.read(line.bytes, takesPythons: true)) == nil,
      let whole = try? JSONReader.read(bytes, takesPythons: true)
    {
      return TextDocuments(
        source: .values([Entry(place: .whole, value: whole)]), path: path,
        note: "is one JSON object, whose text is read")
    }
    return TextDocuments(source: .lines(lines), path: path, note: nil)
  }

  /// Nil for plain text in brackets.
  private static func array(_ bytes: [UInt8], of path: String) throws(TextError) -> TextDocuments? {
    let value: JSONValue
    do { value = try JSONReader.read(bytes, takesPythons: true) } catch {
      guard path.hasSuffix(".json") else { return nil }
      throw TextError(
        path: path, reason: "is not valid JSON at byte \(error.offset) (\(error.reason))")
    }
    let elements = value.array ?? []
    guard !elements.isEmpty, elements.allSatisfy({ $0.string != nil || $0.object != nil }) else {
      return nil
    }
    let entries = elements.enumerated().map { Entry(place: .element($0 + 1), value: $1) }
    return TextDocuments(
      source: .values(entries[...]), path: path,
      note: "is a JSON array, read as \(elements.count) text\(elements.count == 1 ? "" : "s")")
  }

  /// The next text; nil at the end.
  ///
  /// - Throws: ``TextError`` for a line that is no JSON.
  mutating func next() throws(TextError) -> Entry? {
    switch source {
    case .values(var entries):
      let entry = entries.popFirst()
      source = .values(entries)
      return entry
    case .lines(var lines):
      let line = lines.next()
      source = .lines(lines)
      guard let line else { return nil }
      do {
        let value = try JSONReader.read(line.bytes, takesPythons: true)
        return Entry(place: .line(line.number), value: value)
      } catch {
        throw TextError(
          path: path, line: line.number,
          reason: "is not valid JSON at byte \(error.offset) (\(error.reason))")
      }
    }
  }
}

/// The lines of a file that are not blank, with their numbers from 1.
private struct JSONLines: Sendable {
  struct Line: Sendable {
    let number: Int
    let bytes: [UInt8]
  }

  private let bytes: [UInt8]
  private var start = 0
  private var number = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }

  mutating func next() -> Line? {
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      let line = bytes[start..<end]
      start = end + 1
      number += 1
      if !line.allSatisfy(Self.isBlank) { return Line(number: number, bytes: Array(line)) }
    }
    return nil
  }
}

/// What a text that is not UTF-8 is likely to be.
struct TextEncoding: Sendable {
  /// What tells it, after "not UTF-8".
  let reason: String
  /// As `iconv` calls it.
  private let name: String

  /// Nil for UTF-8.
  static func other(of bytes: [UInt8]) -> TextEncoding? {
    for (mark, name) in [([0xff, 0xfe], "UTF-16"), ([0xfe, 0xff], "UTF-16")] as [([UInt8], String)]
    where bytes.starts(with: mark) {
      return TextEncoding(reason: ", but UTF-16 by its byte-order mark: to read it", name: name)
    }
    guard String(validating: bytes, as: UTF8.self) == nil else { return nil }
    return TextEncoding(reason: "; if it is Latin-1", name: "ISO-8859-1")
  }

  func command(_ path: String) -> String { "iconv -f \(name) -t UTF-8 \(path) > utf8.txt" }
}
