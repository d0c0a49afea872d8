import Checkpoints
import FoundationEssentials
import Testing
import TestSupport
import Tokenization

/// What Jinja2 wrote of conversations in templates (Tests/Oracles/record_templates.py).
struct TemplateRecord: Decodable, Sendable {
  struct Case: Decodable, Sendable {
    struct Message: Decodable, Sendable {
      let role: String
      let content: String
    }

    let messages: [Message]
    /// Whether an answer is asked for.
    let prompts: Bool
    let thinks: Bool?
  }

  static let date = ChatDate(year: 2026, month: 2, day: 3, hour: 4, minute: 5, second: 6)

  /// The folder of the templates.
  private(set) var folder = ""
  let tokens: [String: String]
  let cases: [Case]
  /// By file, one rendering a case; nil where Jinja2 raises.
  let renderings: [String: [String?]]

  struct Line: Decodable, Sendable {
    let line: String
    let text: String?
  }

  /// Templates of one line each, all rendered for ``lineCase``.
  private let recordedLines: [Line]?
  let lineCase: Case?

  var lines: [Line] { recordedLines ?? [] }

  private enum CodingKeys: String, CodingKey {
    case tokens, cases, renderings
    case recordedLines = "lines"
    case lineCase = "case"
  }

  init(_ path: String, templates folder: String) throws {
    self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(filePath: path)))
    self.folder = folder
  }

  func source(_ name: String) throws -> String {
    try String(contentsOf: URL(filePath: "\(folder)/\(name)"), encoding: .utf8)
  }

  func template(
    _ source: String, addedTokens: [TokenizerDefinition.AddedToken] = []
  ) throws -> ChatTemplate {
    try #require(
      ChatTemplate(
        TokenizerDefinition(
          source: "t", tokens: [], merges: [], preTokenizer: .gpt2, addedTokens: addedTokens,
          chatTemplate: source, templateTokens: tokens)))
  }

  /// The pieces of a case.
  static func pieces(
    _ template: ChatTemplate, _ item: Case, date: ChatDate = date
  ) throws(ChatTemplateError) -> [ChatTemplate.Piece] {
    let messages = item.messages.compactMap { message in
      ChatMessage.Role(rawValue: message.role).map {
        ChatMessage(role: $0, content: message.content)
      }
    }
    return item.prompts
      ? try template.prompt(messages, thinks: item.thinks, date: date)
      : try template.transcript(messages, thinks: item.thinks, date: date)
  }

  static func text(_ pieces: [ChatTemplate.Piece]) -> String {
    pieces.map { piece in
      switch piece {
      case .token(let text), .text(let text): text
      }
    }.joined()
  }
}
