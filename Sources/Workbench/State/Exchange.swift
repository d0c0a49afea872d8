import Engine

/// One side's answer, token by token.
struct Answer: Codable, Hashable, Sendable {
  struct Token: Codable, Hashable, Sendable {
    /// Nil for a server's, of which only the text is known.
    let id: Int?
    let text: String
  }

  /// Tokens of a prompt that are read, of all.
  struct PromptRead: Codable, Hashable, Sendable {
    let tokens: Int, total: Int
  }

  private(set) var tokens: [Token] = []
  private(set) var tokensPerSecond = 0.0
  /// Bytes of the keys and values that it holds.
  private(set) var cacheBytes = 0
  /// How far the prompt is read, before the first token.
  fileprivate(set) var promptRead: PromptRead?
  /// The share of inputs of o_proj and down_proj that counted as zero; nil where none was asked to.
  private(set) var inputSparsity: Double?
  var stop: StopReason?
  /// Why there is no more of it.
  var failure: String?

  var text: String { tokens.map(\.text).joined() }

  /// Whether there may be more of it: it was stopped, or is as long as it might become.
  var isOpen: Bool { !tokens.isEmpty && (stop == nil || stop == .tokenLimit) && failure == nil }

  mutating func append(_ token: GeneratedToken) {
    tokens.append(Token(id: token.id, text: token.text))
    tokensPerSecond = token.tokensPerSecond
    cacheBytes = token.cacheBytes
    inputSparsity = token.inputSparsity
    promptRead = nil
  }
}

/// One turn: a prompt and the answers to it, side by side.
struct Exchange: Codable, Hashable, Sendable {
  let prompt: String
  /// Whether the prompt was sent as it is because the model has no chat template.
  var isSentRaw = false
  private(set) var answers: [AnswerSide: Answer] = [:]
  /// How far both models' answers agree.
  private(set) var comparison = AnswerComparison()
  /// Where the server's text parts from the compressed model's; ids are not known of it.
  private var servedText = TextComparison()

  init(_ prompt: String) { self.prompt = prompt }

  /// The turn as a later prompt goes on from it.
  var turn: ChatTurn { ChatTurn(prompt: prompt, answers: answers.mapValues(\.text)) }

  /// Where the server's text parts from the compressed model's: bytes of UTF-8 after the blanks at its beginning.
  var servedParting: Int? { servedText.parting }

  /// The same as the number of a character, from 1.
  var servedPartingCharacter: Int? { servedText.partingCharacter }

  func answer(_ side: AnswerSide) -> Answer { answers[side] ?? Answer() }

  /// Takes the next token on; one that is out of turn is dropped.
  mutating func append(_ token: GeneratedToken) {
    guard token.index == answer(token.side).tokens.count else { return }
    answers[token.side, default: Answer()].append(token)
    if token.side != .reference {
      servedText.append(token.text, toFirst: token.side == .compressed)
    }
    comparison.append(token)
  }

  /// Takes on how far a side has read the prompt.
  mutating func note(_ tokens: Int, of total: Int, readBy side: AnswerSide) {
    answers[side, default: Answer()].promptRead = Answer.PromptRead(tokens: tokens, total: total)
  }

  mutating func end(_ side: AnswerSide, _ reason: StopReason) {
    answers[side, default: Answer()].stop = reason
    if side != .reference, reason == .endOfText { servedText.end(first: side == .compressed) }
    comparison.end(side, reason)
  }

  /// Takes on why a side gives no answer, or no more of it; nil takes that back.
  mutating func fail(_ side: AnswerSide, _ reason: String?) {
    guard reason != nil || answers[side] != nil else { return }
    answers[side, default: Answer()].failure = reason
  }

  /// Lets answers go on that may: they have not ended then.
  mutating func reopen(_ sides: [AnswerSide]) {
    for side in sides { answers[side]?.stop = nil }
  }

  /// Drops what a server has said.
  mutating func forgetServed() {
    answers[.served] = nil
    let compressed = answer(.compressed)
    servedText = TextComparison()
    for token in compressed.tokens { servedText.append(token.text, toFirst: true) }
    if compressed.stop == .endOfText { servedText.end(first: true) }
  }
}
