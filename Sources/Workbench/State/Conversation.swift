import Checkpoints
import Engine
import Serving

/// Prompts and the answers to them, side by side: both models', and a server's if one is asked too.
struct Conversation: Codable, Hashable, Sendable {
  var editor = LineEditor()
  /// Earlier prompts, oldest first.
  private(set) var history: [String] = []
  /// Place in the history while going through it; nil while a new prompt is written.
  private var recalled: Int?
  private var draft = ""

  /// How prompts are answered: sampling, length, system prompt, template, and the server that answers too.
  var settings = GenerationRequest(prompt: "")

  /// The model that the server was last seen to have.
  private var servedModel: String?

  /// The job that answers; it stays when the job has ended.
  private(set) var job: JobID?
  var isRunning = false

  /// The chats of this model, oldest first; each is turns that follow each other.
  private(set) var chats: [[Exchange]] = [[]]
  /// The chat that is seen.
  private(set) var place = 0

  /// Lines scrolled back from the end of the answers.
  var scroll = 0

  /// The most prompts that are remembered.
  static let historyLimit = 200
  /// The most chats that are remembered.
  static let chatLimit = 20

  /// The turns of the chat that is seen, oldest first.
  var exchanges: [Exchange] { chats[place] }

  /// The turn that was asked last.
  var last: Exchange? { exchanges.last }

  /// The prompt that the last answers are to.
  var asked: String? { last?.prompt }

  var isSentRaw: Bool { last?.isSentRaw == true }

  /// The first token, from 0, at which the last answers of both models differ.
  var parting: Int? { last?.comparison.parting }

  /// Share of the last answers' tokens that are the same; nil before there are any.
  var sameRate: Double? { last?.comparison.sameRate }

  /// Mean KLD in nats a token while both sides agreed; nil before there is any.
  var meanDivergence: Double? { last?.comparison.meanDivergence }

  /// The first turn, from 0, in which both models' answers part, if it is before the last.
  var partedTurn: Int? { exchanges.dropLast().firstIndex { $0.comparison.parting != nil } }

  /// Who answers, in the order of the columns.
  var sides: [AnswerSide] {
    AnswerSide.allCases.filter { $0 != .served || settings.server != nil }
  }

  /// The served model's name without the folders before it; empty while it is not known.
  var servedName: String {
    (settings.server?.model ?? servedModel ?? "").fileName
  }

  /// The number of the character, from 1, where the server's last text parts from the compressed model's.
  var servedPartingCharacter: Int? { last?.servedPartingCharacter }

  /// Whether anything was asked, or is being written.
  var isBegun: Bool { !history.isEmpty || !editor.text.isEmpty }

  /// What another session can go on with: answers that have ended, and no job.
  var kept: Conversation {
    var kept = self
    if isRunning, let last { kept.replaceLast(with: Exchange(last.prompt)) }
    kept.job = nil
    kept.isRunning = false
    return kept
  }

  /// Whether what was read of a file is one of these: a chat is seen.
  var isSound: Bool { chats.indices.contains(place) }

  func answer(_ side: AnswerSide) -> Answer { last?.answer(side) ?? Answer() }

  /// Changes the last turn.
  mutating func change(_ edit: (inout Exchange) -> Void) {
    guard let index = exchanges.indices.last else { return }
    edit(&chats[place][index])
  }

  private mutating func replaceLast(with exchange: Exchange) { change { $0 = exchange } }

  /// Begins another turn and returns what to ask the engine for.
  mutating func ask(_ prompt: String, job: JobID) -> GenerationRequest {
    if history.last != prompt, prompt.count <= LineEditor.limit { history.append(prompt) }
    if history.count > Self.historyLimit { history.removeFirst() }
    recalled = nil
    let request = request(for: prompt)
    chats[place].append(Exchange(prompt))
    begin(job)
    return request
  }

  /// Takes up an answer that an engine has gone on with: that to the last turn or, if it is new, to the one after it.
  ///
  /// - Returns: false if it is to none of these, or goes on from tokens that were not kept.
  mutating func takeUp(_ request: GenerationRequest, job: JobID, isNew: Bool) -> Bool {
    guard request.beginnings.isEmpty else { return false }
    if last?.prompt == request.prompt {
      replaceLast(with: Exchange(request.prompt))
    } else if isNew, exchanges.map(\.turn) == request.turns {
      chats[place].append(Exchange(request.prompt))
    } else {
      return false
    }
    begin(job)
    return true
  }

  /// Answers the last prompt anew; nil if there is none.
  mutating func askAgain(job: JobID) -> GenerationRequest? {
    guard let asked else { return nil }
    chats[place].removeLast()
    return ask(asked, job: job)
  }

  /// The models whose last answers may go on.
  var openSides: [ModelSide] { ModelSide.allCases.filter { answer(AnswerSide($0)).isOpen } }

  /// Lets the last answers go on that may; nil if none may.
  mutating func goOn(job: JobID) -> GenerationRequest? {
    let sides = openSides
    guard let last, !sides.isEmpty else { return nil }
    chats[place].removeLast()
    var request = request(for: last.prompt)
    chats[place].append(last)
    // How a server goes on with what it has said is not agreed upon between servers.
    (request.sides, request.server) = (sides, nil)
    for side in sides {
      request.beginnings[AnswerSide(side)] = last.answer(AnswerSide(side)).tokens.compactMap(\.id)
    }
    change { $0.reopen(sides.map { AnswerSide($0) }) }
    begin(job)
    return request
  }

  /// What to ask the engine for, after the turns there are.
  private func request(for prompt: String) -> GenerationRequest {
    var request = settings
    request.prompt = prompt
    request.turns = exchanges.map(\.turn)
    return request
  }

  private mutating func begin(_ job: JobID) {
    self.job = job
    isRunning = true
    scroll = 0
  }

  /// What both models are to read again: the last prompt and a side's answer to it; nil without an answer.
  func reading(of side: AnswerSide) -> ReadingRequest? {
    guard let last, side != .served else { return nil }
    var earlier = self
    earlier.chats[place].removeLast()
    let ids = last.answer(side).tokens.compactMap(\.id)
    guard !ids.isEmpty else { return nil }
    return ReadingRequest(conversation: earlier.request(for: last.prompt), side: side, answer: ids)
  }

  /// Begins another chat, unless this one is empty.
  mutating func beginChat() {
    if !exchanges.isEmpty {
      chats.removeAll(where: \.isEmpty)
      chats.append([])
    }
    if chats.count > Self.chatLimit { chats.removeFirst() }
    place = chats.count - 1
    (job, isRunning, scroll) = (nil, false, 0)
  }

  /// Shows the chat so many after this one, or before it, if there is one.
  mutating func showChat(_ distance: Int) {
    guard hasChat(distance) else { return }
    place += distance
    (job, isRunning, scroll) = (nil, false, 0)
  }

  /// Whether there is a chat so many after this one, or before it.
  func hasChat(_ distance: Int) -> Bool { chats.indices.contains(place + distance) }

  /// Goes on from a turn that was asked elsewhere, in a chat of its own.
  mutating func show(_ exchange: Exchange) {
    beginChat()
    chats[place] = [exchange]
  }

  /// Drops what was answered, as when another model is opened.
  mutating func forgetAnswers() {
    (job, isRunning, scroll) = (nil, false, 0)
    (chats, place) = ([[]], 0)
  }

  /// Exchanges the server that answers too; what another one said is dropped.
  mutating func use(_ server: ServerAddress?) {
    if server?.base != settings.server?.base {
      servedModel = nil
      change { $0.forgetServed() }
    }
    settings.server = server
  }

  /// Takes on the name of the server's model.
  mutating func note(found server: ServerAddress) {
    guard server.base == settings.server?.base else { return }
    servedModel = server.model
    if !isRunning { change { $0.fail(.served, nil) } }
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
