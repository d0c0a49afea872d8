import Checkpoints
import Tensors
import JSON

/// Reads a file of texts as token ids, piece by piece.
///
/// A file is plain UTF-8, one text; or, if its first character is `{`, JSON lines: each an object with a `text`, or with
/// `messages` of `role` and `content`, which are written in the model's chat template.
public struct TextReader: Sendable {
  private let path: String
  private let tokenizer: Tokenizer
  /// The text that is being read.
  private var pieces = TextPieces([])
  /// What comes before the first piece of a plain text; nil once it was read.
  private var opening: [Int]?
  /// What is left of JSON lines; nil for a plain text.
  private var lines: JSONLines?

  /// Opens the file at `path`.
  ///
  /// - Throws: ``TextError`` when it cannot be read, or is plain text that is not UTF-8.
  public init(path: String, tokenizer: Tokenizer) throws(TextError) {
    self.path = path
    self.tokenizer = tokenizer
    let storage: ByteStorage
    do {
      storage = try ByteStorage(mapping: path)
    } catch {
      throw TextError(path: path, reason: error.reason)
    }
    let bytes = storage.bytes(in: 0..<storage.count)
    if bytes.first(where: { !JSONLines.isBlank($0) }) == UInt8(ascii: "{") {
      lines = JSONLines(bytes)
    } else if String(validating: bytes, as: UTF8.self) != nil {
      pieces = TextPieces(bytes, for: tokenizer)
      opening = tokenizer.begun([])
    } else {
      throw TextError(path: path, reason: "the text is not UTF-8")
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
    guard let line = lines?.next() else { return nil }
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

  /// What one line of JSON holds.
  private enum Document {
    case text(String)
    case messages([ChatMessage])
  }

  private func document(_ line: JSONLines.Line) throws(TextError) -> Document {
    let value: JSONValue
    do { value = try JSONReader.read(line.bytes) } catch {
      throw self.error(line, "is not valid JSON at byte \(error.offset) (\(error.reason))")
    }
    guard let object = value.object else { throw error(line, "is not a JSON object") }
    if let text = object["text"] {
      guard let text = text.string else { throw error(line, "text is not a string") }
      return .text(text)
    }
    guard let messages = object["messages"] else {
      throw error(line, "has neither a text nor a messages field")
    }
    guard let messages = messages.array else { throw error(line, "messages is not an array") }
    return .messages(
      try messages.map { message throws(TextError) in try self.message(message, in: line) })
  }

  private func message(
    _ value: JSONValue, in line: JSONLines.Line
  ) throws(TextError) -> ChatMessage {
    guard let name = value.object?["role"]?.string, let content = value.object?["content"]?.string
    else { throw error(line, "a message is not an object of a role and a content in strings") }
    guard let role = ChatMessage.Role(rawValue: name) else {
      throw error(line, "the role \(name) is not system, user or assistant")
    }
    return ChatMessage(role: role, content: content)
  }

  private func error(_ line: JSONLines.Line, _ reason: String) -> TextError {
    TextError(path: path, line: line.number, reason: reason)
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
