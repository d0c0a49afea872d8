import Checkpoints
import Tensors
import JSON

/// Reads a file of texts as token ids, piece by piece.
///
/// A file is plain UTF-8, one text; or, if its first character is `{`, JSON lines: each an object with a `text`, or with
/// `messages` of `role` and `content`, which are written in the model's chat template; or a JSON array of such objects or of
/// strings. One object over several lines is one text.
public struct TextReader: Sendable {
  private let path: String
  private let tokenizer: Tokenizer
  /// The text that is being read.
  private var pieces = TextPieces([])
  /// What comes before the first piece of a plain text; nil once it was read.
  private var opening: [Int]?
  /// What is left of JSON texts; empty for a plain text.
  private var documents = TextDocuments.none
  /// What was taken for granted of the file: a sentence each.
  public private(set) var notes: [String] = []

  /// Opens the file at `path`.
  ///
  /// - Throws: ``TextError`` when it cannot be read, or is text that is not UTF-8.
  public init(path: String, tokenizer: Tokenizer) throws(TextError) {
    self.path = path
    self.tokenizer = tokenizer
    let storage: ByteStorage
    do {
      storage = try ByteStorage(mapping: path)
    } catch {
      throw TextError(path: path, reason: error.reason)
    }
    var bytes = storage.bytes(in: 0..<storage.count)
    if let damage = storage.damage { throw TextError(path: path, reason: damage.reason) }
    if bytes.starts(with: JSONReader.byteOrderMark) {
      bytes.removeFirst(JSONReader.byteOrderMark.count)
      notes.append("\(path) begins with a byte-order mark, which is left out")
    }
    if let flaw = TextFlaw.sentence(on: bytes, path: path) {
      throw TextError(path: path, reason: flaw)
    }
    if let found = try TextDocuments(bytes, of: path) {
      documents = found
      if let note = found.note { notes.append("\(path) \(note)") }
    } else {
      pieces = TextPieces(bytes, for: tokenizer)
      opening = tokenizer.begun([])
    }
  }

  /// The ids of the next piece, the work of some milliseconds; nil at the end of the file.
  ///
  /// - Throws: ``TextError`` for a line that holds no text.
  public mutating func next() throws(TextError) -> [Int]? {
    if let begin = opening {
      opening = nil
      return begin
    }
    let continues = pieces.continues
    if let piece = pieces.next() {
      return tokenizer.encode(piece, allowsSpecialTokens: false, continues: continues)
    }
    guard let line = try documents.next() else { return nil }
    switch try document(line) {
    case .text(let text):
      pieces = TextPieces(Array(text.utf8), for: tokenizer)
      return tokenizer.begun([])
    case .messages(let messages):
      guard let template = tokenizer.chatTemplate else {
        throw error(
          line,
          "has messages, but the model has no chat template; give a text field instead")
      }
      do throws(ChatTemplateError) {
        return tokenizer.encode(try template.transcript(messages))
      } catch {
        throw self.error(line, error.description)
      }
    }
  }

  /// What one value of JSON holds.
  private enum Document {
    case text(String)
    case messages([ChatMessage])
  }

  private func document(_ line: TextDocuments.Entry) throws(TextError) -> Document {
    if let text = line.value.string { return .text(text) }
    guard let object = line.value.object else { throw error(line, "is not a JSON object") }
    if let text = object["text"] {
      guard let text = text.string else { throw error(line, "text is not a string") }
      return .text(text)
    }
    guard let messages = object["messages"] else {
      let names = object.members.prefix(4).map(\.name)
      let found = names.isEmpty ? "" : ", but \(names.joined(separator: ", "))"
      let way = names.first.map { "; make texts of it, such as by `jq -c '{text: .\($0)}'`" } ?? ""
      throw error(line, "has neither a text nor a messages field\(found)\(way)")
    }
    guard let messages = messages.array else { throw error(line, "messages is not an array") }
    return .messages(
      try messages.map { message throws(TextError) in try self.message(message, in: line) })
  }

  private func message(
    _ value: JSONValue, in line: TextDocuments.Entry
  ) throws(TextError) -> ChatMessage {
    guard let name = value.object?["role"]?.string, let content = value.object?["content"]?.string
    else { throw error(line, "a message is not an object of a role and a content in strings") }
    guard let role = ChatMessage.Role(rawValue: name) else {
      throw error(line, "the role \(name) is not system, user or assistant")
    }
    return ChatMessage(role: role, content: content)
  }

  private func error(_ entry: TextDocuments.Entry, _ reason: String) -> TextError {
    switch entry.place {
    case .line(let number): TextError(path: path, line: number, reason: reason)
    case .element(let number): TextError(path: path, reason: "element \(number): \(reason)")
    case .whole: TextError(path: path, reason: reason)
    }
  }
}
