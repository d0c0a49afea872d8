import Checkpoints

/// One message of a conversation.
public struct ChatMessage: Hashable, Sendable {
  public enum Role: String, Hashable, Sendable {
    case system, user, assistant
  }

  public let role: Role
  public let content: String

  public init(role: Role, content: String) {
    self.role = role
    self.content = content
  }
}

/// How a model expects a conversation to be written: ChatML, the one template this version knows.
///
/// ```
/// <|im_start|>user
/// What is a prime?<|im_end|>
/// <|im_start|>assistant
/// ```
public struct ChatTemplate: Hashable, Sendable {
  /// A part of a prompt.
  public enum Piece: Hashable, Sendable {
    /// A control token.
    case token(String)
    /// Text in which control tokens are not recognised.
    case text(String)
  }

  /// What the template puts first if the conversation has no system message.
  public let defaultSystemMessage: String?

  private static let start = "<|im_start|>"
  private static let end = "<|im_end|>"

  /// Recognises ChatML by its marks in the template; nil if there is another template, or none.
  public init?(_ definition: TokenizerDefinition) {
    let marks = [Self.start, Self.end]
    guard let source = definition.chatTemplate, marks.allSatisfy(source.contains),
      marks.allSatisfy({ mark in definition.addedTokens.contains { $0.text == mark } })
    else { return nil }
    defaultSystemMessage = Self.defaultSystemMessage(in: source)
  }

  /// The id of the token that ends a turn; not every checkpoint lists it among its end tokens.
  func endToken(_ definition: TokenizerDefinition) -> Int? {
    definition.addedTokens.first { $0.text == Self.end }?.id
  }

  /// The literal text of a system message in the template.
  private static func defaultSystemMessage(in source: String) -> String? {
    // A newline inside a Jinja string may be written as such, or escaped.
    let source = source.replacing("\\n", with: "\n")
    for opening in source.ranges(of: "\(start)system\n") {
      let rest = source[opening.upperBound...]
      guard let closing = rest.firstRange(of: end) else { return nil }
      let text = rest[..<closing.lowerBound]
      // The quote that the literal began with would end it: what follows is an expression.
      let quote = source[..<opening.lowerBound].last
      let isLiteral = quote == "'" || quote == "\""
      if isLiteral, !text.isEmpty, !text.contains(where: { $0 == quote }) { return String(text) }
    }
    return nil
  }

  /// The prompt that asks the model to answer `messages`.
  public func prompt(_ messages: [ChatMessage]) -> [Piece] {
    transcript(messages) + [.token(Self.start), .text("\(ChatMessage.Role.assistant.rawValue)\n")]
  }

  /// A conversation as it was, which asks for no answer.
  public func transcript(_ messages: [ChatMessage]) -> [Piece] {
    var conversation = messages
    if let text = defaultSystemMessage, messages.first?.role != .system {
      conversation.insert(ChatMessage(role: .system, content: text), at: 0)
    }
    var pieces: [Piece] = []
    for message in conversation {
      pieces += [
        .token(Self.start), .text("\(message.role.rawValue)\n\(message.content)"),
        .token(Self.end), .text("\n"),
      ]
    }
    return pieces
  }
}

extension Tokenizer {
  /// The ids of a prompt in the model's chat template.
  public func encode(_ pieces: [ChatTemplate.Piece]) -> [Int] {
    pieces.flatMap { piece in
      switch piece {
      case .token(let text): encode(text, allowsSpecialTokens: true)
      case .text(let text): encode(text, allowsSpecialTokens: false)
      }
    }
  }

  /// The ids that a prompt is answered from: in the chat template if there is one and not `raw`.
  ///
  /// A raw prompt may spell out control tokens, and starts with the begin token if texts do.
  public func encodePrompt(_ prompt: String, raw: Bool) -> [Int] {
    if !raw, let chatTemplate {
      return encode(chatTemplate.prompt([ChatMessage(role: .user, content: prompt)]))
    }
    let begin = addsBeginToken ? [beginToken].compactMap(\.self) : []
    return begin + encode(prompt, allowsSpecialTokens: raw)
  }
}
