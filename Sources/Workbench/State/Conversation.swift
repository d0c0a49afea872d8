import Checkpoints
import Engine
import Serving

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
  /// The share of inputs of o_proj and down_proj that counted as zero; nil where none was asked to.
  private(set) var inputSparsity: Double?
  /// How far the prompt is read, before the first token.
  fileprivate(set) var promptRead: PromptRead?
  var stop: StopReason?
  /// Why there is no more of it.
  var failure: String?

  mutating func append(_ token: GeneratedToken) {
    tokens.append(Token(id: token.id, text: token.text))
    tokensPerSecond = token.tokensPerSecond
    cacheBytes = token.cacheBytes
    inputSparsity = token.inputSparsity
    promptRead = nil
  }
}

/// A prompt and the answers to it, side by side: both models', and a server's if one is asked too.
struct Conversation: Codable, Hashable, Sendable {
  var editor = LineEditor()
  /// Earlier prompts, oldest first.
  private(set) var history: [String] = []
  /// Place in the history while going through it; nil while a new prompt is written.
  private var recalled: Int?
  private var draft = ""

  /// How prompts are answered: sampling, length, template, and the server that answers too.
  var settings = GenerationRequest(prompt: "")

  /// The model that the server was last seen to have.
  private var servedModel: String?

  /// The job that answers; it stays when the job has ended.
  private(set) var job: JobID?
  var isRunning = false
  /// Whether the prompt was sent as it is because the model has no chat template.
  private(set) var isSentRaw = false
  /// The prompt that the answers are to.
  private(set) var asked: String?
  private(set) var answers: [AnswerSide: Answer] = [:]

  /// Tokens that both answers have a place for.
  private(set) var compared = 0
  /// Places where both have the same token.
  private(set) var same = 0
  /// The first place where they differ.
  private(set) var parting: Int?
  /// Where the server's text parts from the compressed model's; ids are not known of it.
  private var servedText = TextComparison()
  /// Sum of the KLD over tokens that both chose after the same text, and how many those are.
  private var divergenceSum = 0.0
  private var divergenceCount = 0

  /// Lines scrolled back from the end of the answers.
  var scroll = 0

  /// The most prompts that are remembered.
  static let historyLimit = 200

  /// Share of compared tokens that are the same; nil before there are any.
  var sameRate: Double? { compared > 0 ? Double(same) / Double(compared) : nil }

  /// Who answers, in the order of the columns.
  var sides: [AnswerSide] {
    AnswerSide.allCases.filter { $0 != .served || settings.server != nil }
  }

  /// The served model's name without the folders before it; empty while it is not known.
  var servedName: String {
    (settings.server?.model ?? servedModel ?? "").fileName
  }

  /// Where the server's text parts from the compressed model's: bytes of UTF-8 after the blanks at its beginning.
  var servedParting: Int? { servedText.parting }

  /// The same as the number of a character, from 1.
  var servedPartingCharacter: Int? { servedText.partingCharacter }

  /// Whether anything was asked, or is being written.
  var isBegun: Bool { !history.isEmpty || !editor.text.isEmpty }

  /// What another session can go on with: answers that have ended, and no job.
  var kept: Conversation {
    var kept = self
    if isRunning {
      kept.forgetAnswers()
      kept.asked = asked
    }
    kept.job = nil
    return kept
  }

  func answer(_ side: AnswerSide) -> Answer { answers[side] ?? Answer() }

  /// Mean KLD in nats a token while both sides agreed; nil before there is any.
  var meanDivergence: Double? {
    divergenceCount > 0 ? divergenceSum / Double(divergenceCount) : nil
  }

  /// Begins new answers and returns what to ask the engine for.
  mutating func ask(_ prompt: String, job: JobID) -> GenerationRequest {
    if history.last != prompt { history.append(prompt) }
    if history.count > Self.historyLimit { history.removeFirst() }
    recalled = nil
    forgetAnswers()
    self.job = job
    isRunning = true
    asked = prompt
    var request = settings
    request.prompt = prompt
    return request
  }

  /// Drops what was answered, as when another model is opened.
  mutating func forgetAnswers() {
    (job, isRunning, asked, answers) = (nil, false, nil, [:])
    isSentRaw = false
    (compared, same, parting, scroll) = (0, 0, nil, 0)
    (divergenceSum, divergenceCount) = (0, 0)
    servedText = TextComparison()
  }

  /// Takes the next token on; one that is out of turn is dropped.
  mutating func append(_ token: GeneratedToken) {
    guard token.index == answer(token.side).tokens.count else { return }
    answers[token.side, default: Answer()].append(token)
    if token.side != .reference {
      servedText.append(token.text, toFirst: token.side == .compressed)
    }
    guard token.side != .served else { return }
    if let divergence = token.divergence, divergence.isFinite {
      divergenceSum += divergence
      divergenceCount += 1
    }
    let other = answer(token.side.other)
    guard token.index < other.tokens.count else {
      if other.stop == .endOfText, parting == nil { parting = token.index }
      return
    }
    compared += 1
    if other.tokens[token.index].id == token.id {
      same += 1
    } else if parting == nil {
      parting = token.index
    }
  }

  /// Takes on how far a side has read the prompt.
  mutating func note(_ tokens: Int, of total: Int, readBy side: AnswerSide) {
    answers[side, default: Answer()].promptRead = Answer.PromptRead(tokens: tokens, total: total)
  }

  mutating func noteSentRaw() { isSentRaw = true }

  mutating func end(_ side: AnswerSide, _ reason: StopReason) {
    answers[side, default: Answer()].stop = reason
    if side != .reference, reason == .endOfText { servedText.end(first: side == .compressed) }
    guard side != .served else { return }
    let length = answer(side).tokens.count
    if reason == .endOfText, parting == nil, answer(side.other).tokens.count > length {
      parting = length
    }
  }

  /// Takes on why a side gives no answer, or no more of it.
  mutating func fail(_ side: AnswerSide, _ reason: String) {
    answers[side, default: Answer()].failure = reason
  }

  /// Exchanges the server that answers too; what another one said is dropped.
  mutating func use(_ server: ServerAddress?) {
    if server?.base != settings.server?.base {
      answers[.served] = nil
      servedModel = nil
      let compressed = answer(.compressed)
      servedText = TextComparison()
      for token in compressed.tokens { servedText.append(token.text, toFirst: true) }
      if compressed.stop == .endOfText { servedText.end(first: true) }
    }
    settings.server = server
  }

  /// Takes on the name of the server's model.
  mutating func note(found server: ServerAddress) {
    guard server.base == settings.server?.base else { return }
    servedModel = server.model
    if !isRunning { answers[.served]?.failure = nil }
  }

  /// Puts an earlier (or, forward, a later) prompt into the input line.
  mutating func recall(forward: Bool) {
    let place = (recalled ?? history.count) + (forward ? 1 : -1)
    guard place >= 0, place <= history.count, !history.isEmpty else { return }
    if recalled == nil {
      guard !forward else { return }
      draft = editor.text
    }
    recalled = place == history.count ? nil : place
    editor.replace(with: recalled.map { history[$0] } ?? draft)
  }
}

extension AnswerSide {
  /// The model here that this one is compared with, token by token.
  fileprivate var other: AnswerSide { self == .reference ? .compressed : .reference }
}
