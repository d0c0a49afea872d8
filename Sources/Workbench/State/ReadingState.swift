import Compression
import Engine

/// What both models expect of the last answers, token by token, and which blocks make them part.
struct ReadingState: Hashable, Sendable {
  /// What the Chat screen shows beside the conversation.
  enum View: String, CaseIterable, Codable, Hashable, Sendable {
    case answers, tokens, blocks, prompts
  }

  /// What was read: an answer, and the plan that the compressed model had.
  struct Subject: Hashable, Sendable {
    let request: ReadingRequest
    let plan: Plan
  }

  var view = View.answers
  /// Whether letters are commands on the Chat screen, and not typed into the prompt.
  var isBrowsing = false
  /// Whose answer is read.
  var side = AnswerSide.compressed

  private(set) var tokens: [TokenReading] = []
  private(set) var tokensSubject: Subject?
  private(set) var tokensJob: JobID?
  /// The token that is looked at, by its place in the answer.
  private(set) var token = 0

  private(set) var blocks: [BlockParting] = []
  private(set) var blocksSubject: Subject?
  private(set) var blocksJob: JobID?
  var blockCursor = 0
  private var pickedBlocks: Set<Int> = []

  /// What is known of the token that is looked at; nil before it is read.
  var tokenReading: TokenReading? { tokens.indices.contains(token) ? tokens[token] : nil }

  /// Begins to read tokens.
  mutating func beginTokens(_ subject: Subject, job: JobID) {
    if tokensSubject?.request != subject.request {
      token = min(token, max(subject.request.answer.count - 1, 0))
    }
    (tokens, tokensSubject, tokensJob) = ([], subject, job)
  }

  mutating func beginBlocks(_ subject: Subject, job: JobID) {
    (blocks, blocksSubject, blocksJob) = ([], subject, job)
  }

  /// Forgets what was read, as when another model is opened.
  mutating func forget() {
    let (view, isBrowsing) = (view, isBrowsing)
    self = ReadingState()
    (self.view, self.isBrowsing) = (view, isBrowsing)
  }

  /// Whether another job has taken the place of one that read answers.
  func hasReplaced(_ job: Job) -> Bool {
    switch job.kind {
    case .tokens: job.id != tokensJob
    case .part: job.id != blocksJob
    default: false
    }
  }

  mutating func accept(_ readings: [TokenReading], of job: JobID) {
    if job == tokensJob { tokens += readings }
  }

  mutating func accept(_ parting: BlockParting, of job: JobID) {
    if job == blocksJob { blocks.append(parting) }
  }

  mutating func look(at token: Int) {
    self.token = max(0, min(token, (tokensSubject?.request.answer.count ?? token + 1) - 1))
  }

  /// The next token, or the one before, at which both models would choose differently; nil if there is none.
  func disagreement(_ direction: Int) -> Int? {
    var place = token + direction
    while tokens.indices.contains(place) {
      if !tokens[place].agrees { return place }
      place += direction
    }
    return nil
  }

  // MARK: Blocks

  /// What a place adds to the KLD that there is before it; nil for less than nothing, which happens.
  func added(_ index: Int) -> Double {
    blocks[index].divergence - (index > 0 ? blocks[index - 1].divergence : 0)
  }

  /// The largest of what places add.
  var mostAdded: Double { blocks.indices.map { added($0) }.max() ?? 0 }

  /// The blocks that add most, in their order: so few that they add four fifths of all that blocks add.
  var worstBlocks: [Int] {
    let additions = blocks.indices.compactMap { index -> (block: Int, added: Double)? in
      guard case .block(let block) = blocks[index].place, added(index) > 0 else { return nil }
      return (block, added(index))
    }.sorted { $0.added > $1.added }
    let enough = additions.reduce(0) { $0 + $1.added } * 0.8
    var sum = 0.0
    return additions.prefix { addition in
      defer { sum += addition.added }
      return sum < enough
    }.map(\.block).sorted()
  }

  func isPicked(_ block: Int) -> Bool { pickedBlocks.contains(block) }

  /// The blocks that are picked, or else the one under the cursor.
  var chosenBlocks: [Int] {
    guard pickedBlocks.isEmpty else { return pickedBlocks.sorted() }
    guard blocks.indices.contains(blockCursor), case .block(let block) = blocks[blockCursor].place
    else { return [] }
    return [block]
  }

  /// Picks the block under the cursor, or no longer, and goes on to the next.
  mutating func pickBlock() {
    if blocks.indices.contains(blockCursor), case .block(let block) = blocks[blockCursor].place {
      pickedBlocks.formSymmetricDifference([block])
    }
    moveBlock(by: 1)
  }

  /// Picks the blocks that add most, or none if they are picked.
  mutating func pickWorst() {
    let worst = Set(worstBlocks)
    pickedBlocks = pickedBlocks == worst ? [] : worst
  }

  mutating func dropPicks() -> Bool {
    defer { pickedBlocks = [] }
    return !pickedBlocks.isEmpty
  }

  mutating func moveBlock(by distance: Int) {
    blockCursor = max(0, min(blockCursor + distance, blocks.count - 1))
  }
}
