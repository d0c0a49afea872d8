import Checkpoints
import Compression
import Engine

/// The Chat screen: the conversation, and what is known of its answers.
extension AppState {
  /// The token that is looked at, if it is of that side's answer.
  func chosenToken(of side: AnswerSide) -> Int? {
    guard screen == .chat, reading.view == .tokens,
      side == reading.tokensSubject?.request.side ?? reading.side
    else { return nil }
    return reading.token
  }

  /// Shows the Chat screen, ready to type.
  mutating func showChat() -> [Effect] {
    if screen != .chat { reading.isBrowsing = false }
    return show(.chat)
  }

  /// Shows a view of the Chat screen by its name, or the next one.
  mutating func showView(_ name: String?) -> [Effect] {
    let all = ReadingState.View.allCases
    guard let name else {
      let place = screen == .chat ? all.firstIndex(of: reading.view) ?? 0 : -1
      return showView(all[(place + 1) % all.count], isBrowsing: reading.isBrowsing)
    }
    guard let view = ReadingState.View(rawValue: name) else {
      let known = all.map(\.rawValue).joined(separator: ", ")
      refuse("The Chat screen has no view \"\(name)\"; it has \(known)")
      return []
    }
    return showView(view, isBrowsing: view != .answers)
  }

  private mutating func showView(_ view: ReadingState.View, isBrowsing: Bool) -> [Effect] {
    (reading.view, reading.isBrowsing) = (view, isBrowsing)
    return show(.chat)
  }

  /// Looks at the token where the answers part.
  mutating func showParting() -> [Effect] {
    guard let parting = conversation.parting else {
      inform(
        conversation.last == nil
          ? "Nothing was asked yet" : "Both models have given the same answer so far")
      return []
    }
    if parting >= conversation.answer(reading.side).tokens.count {
      reading.side = reading.side == .compressed ? .reference : .compressed
    }
    let effects = showView(.tokens, isBrowsing: true)
    reading.look(at: parting)
    return effects
  }

  /// Measures block by block where the answers begin to part, anew if that was done.
  mutating func partByBlock() -> [Effect] {
    let effects = showView(.blocks, isBrowsing: true)
    guard let subject = readingSubject(of: .reference) else {
      inform("Ask something first: where the answers part is measured on the last one")
      return effects
    }
    return effects + readBlocks(subject)
  }

  /// What is to be read of a side's last answer, or of the other's without one; nil while there is nothing, or it is still
  /// coming.
  private func readingSubject(of side: AnswerSide) -> ReadingState.Subject? {
    guard let model, model.description.abilities.runs, !conversation.isRunning,
      let request = conversation.reading(of: side)
        ?? conversation.reading(of: side == .compressed ? .reference : .compressed)
    else { return nil }
    return ReadingState.Subject(request: request, plan: history.current)
  }

  /// Reads what the Chat screen shows and does not know yet.
  mutating func readAnswers() -> [Effect] {
    guard screen == .chat else { return [] }
    switch reading.view {
    case .answers, .prompts: return []
    case .tokens:
      guard let subject = readingSubject(of: reading.side), subject != reading.tokensSubject
      else { return [] }
      return readTokens(subject)
    case .blocks:
      guard let subject = readingSubject(of: .reference), subject != reading.blocksSubject
      else { return [] }
      return readBlocks(subject)
    }
  }

  private mutating func readTokens(_ subject: ReadingState.Subject) -> [Effect] {
    let effects = cancelled(reading.tokensJob)
    let job = jobs.queue(.tokens, for: PromptWords.title(of: subject.request.conversation.prompt))
    reading.beginTokens(subject, job: job)
    return effects + [.engine(.readTokens(job, subject.request))]
  }

  private mutating func readBlocks(_ subject: ReadingState.Subject) -> [Effect] {
    let effects = cancelled(reading.blocksJob)
    let job = jobs.queue(.part, for: PromptWords.title(of: subject.request.conversation.prompt))
    reading.beginBlocks(subject, job: job)
    return effects + [.engine(.partByBlock(job, subject.request))]
  }

  private func cancelled(_ job: JobID?) -> [Effect] {
    guard let job, jobs[job]?.isRunning == true else { return [] }
    return [.engine(.cancel(job))]
  }

  // MARK: Keys

  /// Moves in what the Chat screen shows.
  mutating func moveInChat(by distance: Int) {
    guard reading.isBrowsing else { return moveInPrompt(by: distance) }
    switch reading.view {
    case .answers: scrollPrompt(by: -distance)
    case .tokens: reading.look(at: reading.token + distance)
    case .blocks: reading.moveBlock(by: distance)
    case .prompts: batch.moveCursor(by: distance)
    }
  }

  /// The next token at which both models would choose differently, or the one before.
  mutating func moveToDisagreement(_ direction: Int) {
    guard let token = reading.disagreement(direction) else {
      inform("There is no other token at which both models would choose differently")
      return
    }
    reading.look(at: token)
  }

  /// Reads the other model's answer.
  mutating func swapAnswer() {
    reading.side = reading.side == .compressed ? .reference : .compressed
  }

  /// Goes on with what is under the cursor of the Chat screen.
  mutating func enterChat() -> [Effect] {
    switch reading.view {
    case .answers, .tokens:
      reading.isBrowsing = false
      return []
    case .blocks:
      guard markBlocks() else { return [] }
      screen = .layers
      focus(.table)
      return []
    case .prompts:
      guard !batch.isRunning else {
        inform("The prompts are still being asked; ctrl-s ends that")
        return []
      }
      guard batch.exchanges.indices.contains(batch.cursor) else { return [] }
      conversation.show(batch.exchanges[batch.cursor])
      return conversation.parting == nil ? showView(.answers, isBrowsing: true) : showParting()
    }
  }

  /// Marks the layers of the blocks that are picked, or of the one under the cursor.
  ///
  /// - Returns: false if there are none.
  private mutating func markBlocks() -> Bool {
    guard let model else { return false }
    let blocks = reading.chosenBlocks
    let layers = model.layers.indices.filter {
      model.layers[$0].block.map { blocks.contains($0) } == true
    }
    guard let first = blocks.first, !layers.isEmpty else {
      inform("Choose a block first")
      return false
    }
    if !table.filter.isEmpty { table.show(LayerFilter(""), of: model) }
    table.marks = Set(layers)
    if let row = table.rows.firstIndex(of: .block(first)) { table.move(to: row) }
    let names = blocks.map(String.init).joined(separator: ", ")
    inform(
      "\(layers.count) layers of block\(blocks.count == 1 ? "" : "s") \(names) are marked: "
        + "] gives them one bit more")
    return true
  }

  /// Gives the layers of the blocks that are picked one bit more or less.
  mutating func changeBlocks(_ command: Command) -> [Effect] {
    guard reading.view == .blocks, markBlocks() else { return [] }
    notice = nil
    return changePlan(command)
  }

  /// Picks a block, or the worst of them.
  mutating func pickBlocks(_ action: Action) {
    guard reading.view == .blocks else { return }
    if action == .mark { reading.pickBlock() } else { reading.pickWorst() }
  }

  // MARK: Prompts of a file

  /// Asks all prompts of a file, one after the other.
  mutating func take(prompts: [String], from path: String) -> [Effect] {
    guard model != nil else { return [] }
    let effects = stop()
    notice = nil
    batch = PromptBatch(prompts, from: path)
    return effects + showView(.prompts, isBrowsing: true) + askNextPrompt()
  }

  /// Asks the next prompt of the file.
  mutating func askNextPrompt() -> [Effect] {
    let next = (batch.place ?? -1) + 1
    let job = jobs.queue(
      .generate, for: "\(batch.path) \(next + 1)/\(batch.exchanges.count)")
    guard let request = batch.next(job: job, settings: conversation.settings) else { return [] }
    return [.engine(.generate(job, request))]
  }

  /// Takes on that a prompt of the file is answered, or will not be.
  mutating func endPrompt(_ outcome: JobOutcome) -> [Effect] {
    guard outcome == .finished else {
      batch.stop()
      return []
    }
    guard batch.end() else {
      confirm("\(batch.parted) of \(batch.answered) answers part; Enter shows one")
      return []
    }
    return askNextPrompt()
  }
}

// MARK: Mouse

extension AppState {
  /// Whether letters are commands on the Chat screen, and nothing lies over it.
  var isBrowsingChat: Bool {
    screen == .chat && reading.isBrowsing && overlay == nil && line == nil
  }

  /// Looks at a token of an answer that was clicked.
  mutating func look(at token: Int, of side: AnswerSide) -> [Effect] {
    if screen == .layers { focus(.prompt) }
    guard side != .served else { return [] }
    reading.side = side
    let effects = showView(ReadingState.View.tokens.rawValue)
    reading.look(at: token)
    return effects
  }

  /// Moves to a row of the list; a second click enters it.
  mutating func clickChatRow(_ row: Int) -> [Effect] {
    let cursor = reading.view == .blocks ? reading.blockCursor : batch.cursor
    let wasUnderCursor = reading.isBrowsing && cursor == row
    reading.isBrowsing = true
    moveInChat(by: row - cursor)
    return wasUnderCursor ? enterChat() : []
  }
}
