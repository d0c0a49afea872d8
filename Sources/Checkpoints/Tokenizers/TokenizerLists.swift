import Tensors
import JSON

/// The two long lists of a tokenizer.json, vocabulary and merges, read without a value for each of their parts.
///
/// A quarter of a million tokens with twice as many merges are most of such a file.
struct TokenizerLists {
  private let bytes: [UInt8]
  private let file: String
  /// The object of texts and ids, and the list of pairs; nil if the file has none, or something else.
  private let vocabularyRange: Range<Int>?
  private let mergesRange: Range<Int>?

  var hasVocabulary: Bool { vocabularyRange != nil }
  var hasMerges: Bool { mergesRange != nil }

  /// Finds the lists, and reads the rest of the file as usual.
  static func read(
    _ path: String
  ) throws(CheckpointError) -> (lists: TokenizerLists, rest: JSONFile) {
    let storage = try CheckpointFile.map(path)
    // A file that is too long is refused before it is looked through.
    let isShort = storage.count <= JSONFile.maximumBytes
    let bytes = isShort ? storage.bytes(in: 0..<storage.count) : []
    var top = JSONSkimmer(bytes)
    let model = top.members()?["model"]
    let members = model.flatMap { range in
      var skimmer = JSONSkimmer(bytes, at: range.lowerBound)
      return skimmer.members()
    }
    func list(_ name: String, _ bracket: Unicode.Scalar) -> Range<Int>? {
      members?[name].flatMap { bytes[$0.lowerBound] == UInt8(ascii: bracket) ? $0 : nil }
    }
    let lists = TokenizerLists(
      bytes: bytes, file: path, vocabularyRange: list("vocab", "{"),
      mergesRange: list("merges", "["))
    // A number stands for each list. Where that is no JSON, the whole is read, whose error names the right byte.
    let ranges = [lists.vocabularyRange, lists.mergesRange].compactMap(\.self)
      .sorted { $0.lowerBound < $1.lowerBound }
    var (rest, start) = ([UInt8](), 0)
    for range in ranges {
      rest += bytes[start..<range.lowerBound] + [UInt8(ascii: "0")]
      start = range.upperBound
    }
    rest += bytes[start...]
    let value = try? JSONReader.read(rest)
    if let root = value?.object { return (lists, JSONFile(file: path, root: root)) }
    return (lists, try JSONFile(path: path))
  }

  /// Calls `body` with the id of each token and where its text is, which is added to `text`.
  func forEachToken(
    _ text: inout [UInt8],
    _ body: (_ text: Range<Int>, _ id: Int) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    guard let vocabularyRange else { return }
    var reader = JSONListReader(bytes, vocabularyRange, file: file)
    try reader.expect("{")
    if reader.take("}") { return }
    repeat {
      let start = text.count
      try reader.string(into: &text)
      try reader.expect(":")
      guard let id = reader.integer() else {
        throw reader.error(
          "model.vocab gives \"\(String(decoding: text[start...], as: UTF8.self))\" no id")
      }
      try body(start..<text.count, id)
    } while reader.take(",")
    try reader.expect("}")
  }

  /// Calls `body` with the texts of each merge's two tokens, one behind the other, and where the second begins.
  ///
  /// The two layouts in use are `"a b"`, and `["a", "b"]`.
  func forEachMerge(
    _ body: (_ text: [UInt8], _ middle: Int) throws(CheckpointError) -> Void
  ) throws(CheckpointError) {
    guard let mergesRange else { return }
    var reader = JSONListReader(bytes, mergesRange, file: file)
    var text: [UInt8] = []
    try reader.expect("[")
    if reader.take("]") { return }
    repeat {
      text.removeAll(keepingCapacity: true)
      let middle: Int
      if reader.take("[") {
        try reader.string(into: &text)
        middle = text.count
        guard reader.take(",") else { throw reader.error(Self.notTwo) }
        try reader.string(into: &text)
        guard reader.take("]") else { throw reader.error(Self.notTwo) }
      } else {
        guard reader.isString else { throw reader.error(Self.notTwo) }
        try reader.string(into: &text)
        let spaces = text.indices.filter { text[$0] == UInt8(ascii: " ") }
        guard spaces.count == 1 else { throw reader.error(Self.notTwo) }
        middle = text.remove(at: spaces[0]) == 0x20 ? spaces[0] : 0
      }
      guard middle > 0, middle < text.count else { throw reader.error(Self.notTwo) }
      try body(text, middle)
    } while reader.take(",")
    try reader.expect("]")
  }

  private static let notTwo = "model.merges has an entry that is not two tokens"
}

/// Reads the strings and whole numbers of a JSON text one by one.
private struct JSONListReader {
  private let bytes: [UInt8]
  private let file: String
  private var place: Int
  private let end: Int

  init(_ bytes: [UInt8], _ range: Range<Int>, file: String) {
    self.bytes = bytes
    self.file = file
    (place, end) = (range.lowerBound, range.upperBound)
  }

  func error(_ reason: String) -> CheckpointError { CheckpointError(file: file, reason: reason) }

  private func malformed() -> CheckpointError { error("is not valid JSON at byte \(place)") }

  private mutating func skipSpace() {
    while place < end, JSONSkimmer.isSpace(bytes[place]) { place += 1 }
  }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard place < end, bytes[place] == UInt8(ascii: character) else { return false }
    place += 1
    return true
  }

  mutating func expect(_ character: Unicode.Scalar) throws(CheckpointError) {
    guard take(character) else { throw malformed() }
  }

  var isString: Bool {
    mutating get {
      skipSpace()
      return place < end && bytes[place] == UInt8(ascii: "\"")
    }
  }

  /// Appends the bytes of a string.
  mutating func string(into text: inout [UInt8]) throws(CheckpointError) {
    guard isString else { throw malformed() }
    let start = place
    var hasEscapes = false
    place += 1
    while place < end, bytes[place] != UInt8(ascii: "\"") {
      guard bytes[place] >= 0x20 else { throw malformed() }
      if bytes[place] == UInt8(ascii: "\\") { (hasEscapes, place) = (true, place + 1) }
      place += 1
    }
    guard place < end else { throw malformed() }
    place += 1
    if hasEscapes {
      guard case .string(let value)? = try? JSONReader.read(Array(bytes[start..<place])) else {
        place = start
        throw malformed()
      }
      text += value.utf8
    } else {
      text += bytes[start + 1..<place - 1]
    }
  }

  /// A whole number; nil if something else is there.
  mutating func integer() -> Int? {
    skipSpace()
    let start = place
    if place < end, bytes[place] == UInt8(ascii: "-") { place += 1 }
    while place < end, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place]) { place += 1 }
    return Int(String(decoding: bytes[start..<place], as: UTF8.self))
  }
}
