extension Tokenizer {
  /// The token that texts start with; nil for models that want none.
  public var textBegin: Int? { addsBeginToken ? beginToken : nil }

  /// The ids of a text or prompt as a model reads them: after ``textBegin``, once.
  ///
  /// A template, or a raw prompt, may have spelled that token itself.
  public func begun(_ ids: [Int]) -> [Int] {
    guard let textBegin, ids.first != textBegin else { return ids }
    return [textBegin] + ids
  }

  /// The ids of a conversation in the model's chat template.
  public func encode(_ pieces: [ChatTemplate.Piece]) -> [Int] {
    begun(
      pieces.flatMap { piece in
        switch piece {
        case .token(let text): encode(text, allowsSpecialTokens: true)
        case .text(let text): encode(text, allowsSpecialTokens: false)
        }
      })
  }

  /// The ids that a prompt is answered from: in the chat template if there is one and not `raw`.
  ///
  /// A raw prompt may spell out control tokens.
  ///
  /// - Throws: ``ChatTemplateError`` when the template cannot be read, or refuses the prompt.
  public func encodePrompt(_ prompt: String, raw: Bool) throws(ChatTemplateError) -> [Int] {
    if !raw, let chatTemplate {
      return encode(try chatTemplate.prompt([ChatMessage(role: .user, content: prompt)]))
    }
    return begun(encode(prompt, allowsSpecialTokens: raw))
  }
}
