import Checkpoints

/// How a model expects a conversation to be written: the Jinja template that came with it, run within limits.
///
/// What it writes equals what Jinja2 writes with transformers' settings (`trim_blocks`, `lstrip_blocks`, loop controls,
/// an immutable sandbox). What the messages say never becomes a control token, whatever the template does with it.
public struct ChatTemplate: Sendable {
  /// A part of a prompt.
  public enum Piece: Hashable, Sendable {
    /// A control token.
    case token(String)
    /// Text in which control tokens are not recognised; two in a row are encoded apart.
    case text(String)
  }

  /// Why the template cannot be run at all; nil if it can be read.
  public let problem: ChatTemplateError?
  /// The token that the template ends an assistant's turn with; not every checkpoint lists it among its end tokens.
  let endToken: Int?

  private let statements: [TemplateStatement]
  /// `bos_token` and the like.
  private let tokens: [String: String]
  private let marks: TurnMarks

  /// Reads the definition's template; nil if it has none.
  public init?(_ definition: TokenizerDefinition) {
    guard let source = definition.chatTemplate else { return nil }
    do throws(ChatTemplateError) {
      statements = try TemplateParser.statements(of: source)
      problem = nil
    } catch {
      statements = []
      problem = error
    }
    tokens = definition.templateTokens
    var marks = TurnMarks(definition.addedTokens)
    endToken = problem == nil ? marks.learn(fromTurnsOf: statements, tokens) : nil
    self.marks = marks
  }

  /// The prompt that asks the model to answer `messages`.
  ///
  /// - Parameters:
  ///   - messages: the conversation so far.
  ///   - thinks: whether the model is to think first, for templates that ask `enable_thinking`; nil leaves it to them.
  ///   - date: what a template that tells the model the date is told.
  /// - Returns: control tokens and the text between them.
  /// - Throws: ``ChatTemplateError`` when the template cannot be read, or refuses the messages.
  public func prompt(
    _ messages: [ChatMessage], thinks: Bool? = nil, date: ChatDate = .now
  ) throws(ChatTemplateError) -> [Piece] {
    try pieces(messages, asksForAnswer: true, thinks: thinks, date: date)
  }

  /// A conversation as it was, which asks for no answer.
  ///
  /// - Throws: as ``prompt(_:thinks:date:)``.
  public func transcript(
    _ messages: [ChatMessage], thinks: Bool? = nil, date: ChatDate = .now
  ) throws(ChatTemplateError) -> [Piece] {
    try pieces(messages, asksForAnswer: false, thinks: thinks, date: date)
  }

  private func pieces(
    _ messages: [ChatMessage], asksForAnswer: Bool, thinks: Bool?, date: ChatDate
  ) throws(ChatTemplateError) -> [Piece] {
    if let problem { throw problem }
    return marks.pieces(
      of: try Self.render(
        statements, messages, tokens, asksForAnswer: asksForAnswer, thinks: thinks, date: date))
  }

  /// What the statements write of a conversation, with the names that transformers gives to things.
  static func render(
    _ statements: [TemplateStatement], _ messages: [ChatMessage], _ tokens: [String: String],
    asksForAnswer: Bool, thinks: Bool? = nil, date: ChatDate,
    limits: TemplateLimits = TemplateLimits()
  ) throws(ChatTemplateError) -> TemplateText {
    var variables = tokens.mapValues(TemplateValue.text)
    variables["messages"] = .list(
      messages.map { message in
        .dictionary(
          TemplateDictionary([
            (key: .text("role"), value: .text(message.role.rawValue)),
            (key: .text("content"), value: .string(TemplateText(input: message.content))),
          ]))
      })
    variables["tools"] = TemplateValue.none
    variables["documents"] = TemplateValue.none
    variables["add_generation_prompt"] = .boolean(asksForAnswer)
    if let thinks { variables["enable_thinking"] = .boolean(thinks) }
    let inputCount = messages.reduce(0) { $0 + $1.content.unicodeScalars.count + 64 }
    let interpreter = TemplateInterpreter(
      variables: variables, inputCount: inputCount, date: date, limits: limits)
    return try interpreter.render(statements)
  }
}
