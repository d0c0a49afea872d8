import Engine

/// One model's answer, token by token.
struct Answer: Hashable, Sendable {
  struct Token: Hashable, Sendable {
    let id: Int
    let text: String
  }

  private(set) var tokens: [Token] = []
  private(set) var tokensPerSecond = 0.0
  var stop: StopReason?

  mutating func append(_ token: GeneratedToken) {
    tokens.append(Token(id: token.id, text: token.text))
    tokensPerSecond = token.tokensPerSecond
  }
}

/// A prompt and both models' answers to it, side by side.
struct Conversation: Hashable, Sendable {
  var editor = LineEditor()
  /// Earlier prompts, oldest first.
  private(set) var history: [String] = []
  /// Place in the history while going through it; nil while a new prompt is written.
  private var recalled: Int?
  private var draft = ""

  /// How prompts are answered: sampling, length, template.
  var settings = GenerationRequest(prompt: "")

  /// The job that answers; it stays when the job has ended.
  private(set) var job: JobID?
  var isRunning = false
  /// The prompt that the answers are to.
  private(set) var asked: String?
  private(set) var answers: [ModelSide: Answer] = [:]

  /// Tokens that both answers have a place for.
  private(set) var compared = 0
  /// Places where both have the same token.
  private(set) var same = 0
  /// The first place where they differ.
  private(set) var parting: Int?

  /// Lines scrolled back from the end of the answers.
  var scroll = 0

  /// The most prompts that are remembered.
  static let historyLimit = 200

  /// Share of compared tokens that are the same; nil before there are any.
  var sameRate: Double? { compared > 0 ? Double(same) / Double(compared) : nil }

  func answer(_ side: ModelSide) -> Answer { answers[side] ?? Answer() }

  /// Begins a new pair of answers and returns what to ask the engine for.
  mutating func ask(_ prompt: String, job: JobID) -> GenerationRequest {
    if history.last != prompt { history.append(prompt) }
    if history.count > Self.historyLimit { history.removeFirst() }
    recalled = nil
    self.job = job
    isRunning = true
    asked = prompt
    answers = [:]
    (compared, same, parting, scroll) = (0, 0, nil, 0)
    var request = settings
    request.prompt = prompt
    return request
  }

  /// Takes the next token on; one that is out of turn is dropped.
  mutating func append(_ token: GeneratedToken) {
    var answer = answer(token.side)
    guard token.index == answer.tokens.count else { return }
    answer.append(token)
    answers[token.side] = answer
    let other = self.answer(token.side == .reference ? .compressed : .reference)
    guard token.index < other.tokens.count else { return }
    compared += 1
    if other.tokens[token.index].id == token.id {
      same += 1
    } else if parting == nil {
      parting = token.index
    }
  }

  mutating func end(_ side: ModelSide, _ reason: StopReason) {
    answers[side, default: Answer()].stop = reason
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
