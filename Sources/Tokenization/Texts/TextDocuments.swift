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

/// What a file that is no text in UTF-8 is likely to be, and the command that makes one of it.
enum TextFlaw {
  /// Beginnings of files that hold texts in another form.
  private static let beginnings:
    [(bytes: [UInt8], reason: String, way: @Sendable (String) -> String)] = [
      (
        [0xff, 0xfe], "is not UTF-8, but UTF-16 by its byte-order mark",
        { "run `iconv -f UTF-16 -t UTF-8 \($0) > utf8.txt`" }
      ),
      (
        [0xfe, 0xff], "is not UTF-8, but UTF-16 by its byte-order mark",
        { "run `iconv -f UTF-16 -t UTF-8 \($0) > utf8.txt`" }
      ),
      ([0x1f, 0x8b], "is compressed", { "run `gunzip -k \($0)`" }),
      ([0x28, 0xb5, 0x2f, 0xfd], "is compressed", { "run `unzstd \($0)`" }),
      (Array("PAR1".utf8), "is a Parquet table", { _ in "write its texts as JSON lines" }),
      (Array("%PDF".utf8), "is a PDF", { "run `pdftotext \($0)`" }),
      (
        Array("version https://git-lfs.github.com/spec/v1\n".utf8),
        "is a pointer of Git LFS and not the text",
        { "run `git lfs pull` beside \($0)" }
      ),
    ]

  /// Why a file is no text, and what to do; nil for UTF-8.
  static func sentence(on bytes: [UInt8], path: String) -> String? {
    if let known = beginnings.first(where: { bytes.starts(with: $0.bytes) }) {
      return "\(known.reason); \(known.way(path))"
    }
    if bytes.prefix(4096).contains(0) { return "is no text: it holds bytes of zero" }
    guard String(validating: bytes, as: UTF8.self) == nil else { return nil }
    return "is not UTF-8; if it is Latin-1, run `iconv -f ISO-8859-1 -t UTF-8 \(path) > utf8.txt`"
  }
}
