extension Tokenizer {
  /// The token that stands before a text; nil for models that want none.
  public var textBegin: Int? { addsBeginToken ? beginToken : nil }

  /// The ids of a text or prompt as a model reads them: after ``openingTokens``, once.
  ///
  /// A template, or a raw prompt, may have spelled these tokens itself.
  public func begun(_ ids: [Int]) -> [Int] {
    ids.starts(with: openingTokens) ? ids : openingTokens + ids
  }

  /// The ids of a conversation in the model's chat template.
  public func encode(_ pieces: [ChatTemplate.Piece]) -> [Int] {
    var ids: [Int] = []
    // Some tokenizers put a space before a text, or before what follows a control token.
    var beginning = TextCutter.Beginning.text
    for piece in pieces {
      switch piece {
      case .token(let text):
        ids += encode(text, allowsSpecialTokens: true)
        beginning = .segment
      case .text(let text):
        ids += encode(text, allowsSpecialTokens: false, as: beginning)
        beginning = .nothing
      }
    }
    return begun(ids)
  }

  /// The ids that a prompt is answered from: in the chat template if there is one and not `raw`.
  ///
  /// - Throws: as ``encodeConversation(_:raw:)``.
  public func encodePrompt(_ prompt: String, raw: Bool) throws(ChatTemplateError) -> [Int] {
    try encodeConversation([ChatMessage(role: .user, content: prompt)], raw: raw)
  }

  /// The ids that a conversation is answered from: in the chat template if there is one and not `raw`, else the messages'
  /// texts one after the other.
  ///
  /// A raw prompt may spell out control tokens.
  ///
  /// - Throws: ``ChatTemplateError`` when the template cannot be read, or refuses the conversation.
  public func encodeConversation(
    _ messages: [ChatMessage], raw: Bool
  ) throws(ChatTemplateError) -> [Int] {
    if !raw, let chatTemplate { return encode(try chatTemplate.prompt(messages)) }
    return begun(encode(messages.map(\.content).joined(), allowsSpecialTokens: raw))
  }
}
