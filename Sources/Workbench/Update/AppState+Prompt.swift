import Checkpoints
import Compression
import Engine
import Terminal

extension AppState {
  /// Whether what is typed goes into the prompt.
  var isPrompting: Bool {
    switch screen {
    case .layers: pane == .prompt
    case .chat: !reading.isBrowsing
    default: false
    }
  }

  /// Goes to the prompt, or sends `text` as one, or what the file of that name holds.
  mutating func startPrompt(_ text: String?) -> [Effect] {
    if screen == .chat {
      reading.isBrowsing = false
    } else {
      screen = .layers
      focus(.prompt)
    }
    guard let text else { return [] }
    if let file = PromptWords.file(of: text) {
      return [.readPrompt(path: file.path, orElse: file.isCertain ? nil : text)]
    }
    return send(text)
  }

  /// Sends what is written; where nothing is, the last prompt is answered anew.
  mutating func runPrompt() -> [Effect] {
    let prompt = conversation.editor.text
    guard prompt.trimmingBlanks().isEmpty else { return send(prompt) }
    guard conversation.last == nil else { return regenerate() }
    inform(model == nil ? Self.unopened : "Type a prompt first")
    return []
  }

  private static let unopened = "No model is open; Esc, then o opens one"

  /// Lets both models, and the server if there is one, answer a prompt after the turns there are.
  mutating func send(_ prompt: String) -> [Effect] {
    guard model != nil else {
      inform(Self.unopened)
      return []
    }
    let effects = stopAnswer()
    let job = beginAnswer(to: prompt)
    let request = conversation.ask(prompt, job: job)
    conversation.editor.replace(with: "")
    return effects + generate(request)
  }

  /// Answers the last prompt anew; answers that are sampled are others where nothing else has changed.
  mutating func regenerate() -> [Effect] {
    guard model != nil, let asked = conversation.asked else {
      inform("Nothing was asked yet")
      return []
    }
    let effects = stopAnswer()
    if conversation.settings.sampling.temperature > 0, answeredPlan == history.current {
      conversation.settings.sampling.seed &+= 1
    }
    let job = beginAnswer(to: asked)
    let request = conversation.askAgain(job: job)
    return effects + (request.map { generate($0) } ?? [])
  }

  /// Lets the last answers go on where they were stopped, or had become as long as they might.
  mutating func goOnAnswering() -> [Effect] {
    guard model != nil, !conversation.isRunning else {
      inform("The answers are still coming")
      return []
    }
    guard let asked = conversation.asked, !conversation.openSides.isEmpty else {
      inform("Both answers have come to their end")
      return []
    }
    let job = beginAnswer(to: asked)
    let request = conversation.goOn(job: job)
    return request.map { generate($0) } ?? []
  }

  /// Ends what is being answered; what there is of it stays.
  mutating func stop() -> [Effect] {
    if batch.isRunning {
      let effects = batch.job.map { [Effect.engine(.cancel($0))] } ?? []
      batch.stop()
      inform("Stopped after \(batch.answered) of \(batch.exchanges.count) prompts")
      return effects
    }
    guard conversation.isRunning else {
      inform("Nothing is being answered")
      return []
    }
    return stopAnswer()
  }

  private func stopAnswer() -> [Effect] {
    guard conversation.isRunning, let job = conversation.job else { return [] }
    return [.engine(.cancel(job))]
  }

  private mutating func beginAnswer(to prompt: String) -> JobID {
    let isAsPlanned = model.map { $0.readyLayers >= $0.changedLayers } ?? false
    answeredPlan = isAsPlanned ? history.current : nil
    return jobs.queue(.generate, for: PromptWords.title(of: prompt))
  }

  private func generate(_ request: GenerationRequest) -> [Effect] {
    conversation.job.map { [.engine(.generate($0, request))] } ?? []
  }

  /// Begins another chat, or shows an earlier or a later one.
  mutating func changeChat(_ action: Action) -> [Effect] {
    let distance = action == .older ? -1 : 1
    guard action == .newChat || conversation.hasChat(distance) else {
      inform(action == .older ? "There is no earlier chat" : "There is no later chat")
      return []
    }
    let effects = stopAnswer()
    if action == .newChat {
      conversation.beginChat()
      inform("A new chat; Esc, then < shows the one before")
    } else {
      conversation.showChat(distance)
    }
    answeredPlan = nil
    // What was read of another chat's answer is none of this one's.
    reading.forget()
    return effects
  }

  /// Sets what the chat template says before all turns; `off` leaves that to the template.
  mutating func setSystem(_ text: String) -> [Effect] {
    conversation.settings.system = text == "off" ? nil : text
    inform(
      text == "off"
        ? "The chat template says what comes before all turns"
        : "System prompt: \(PromptWords.title(of: text))")
    return []
  }

  /// Takes on the text of a file that is asked as one prompt.
  mutating func take(promptFile path: String, _ text: String) -> [Effect] {
    inform("Asked what \(path) holds: \(text.count) characters")
    return send(text)
  }

  /// Moves the caret by lines, or past the first or the last of them through earlier prompts.
  mutating func moveInPrompt(by distance: Int) {
    let inside = conversationPlace
    let lines = PromptLayout(inside: inside, conversation: conversation).lines
    let place = lines.place(of: conversation.editor.caret)
    let row = place.row + (distance < 0 ? -1 : 1)
    if lines.rows.indices.contains(row) {
      conversation.editor.moveCaret(to: lines.caret(row: row, column: place.column))
    } else {
      conversation.recall(forward: distance > 0)
    }
  }

  /// Where the conversation is, inside its border.
  var conversationPlace: Rect {
    let layout = ScreenLayout(self, size: size)
    if screen == .chat {
      return ChatLayout(body: layout.body, view: reading.view).conversation.inset()
    }
    return layout.slot(showing: .prompt)?.inside ?? Rect(size)
  }

  /// Measures the models on a text file.
  mutating func evaluate(_ path: String) -> [Effect] {
    guard let model else {
      inform("No model is open; o opens one")
      return []
    }
    let id = jobs.queue(.evaluate, for: path)
    evaluationText = path
    let bytes = model.plannedBytes
    evaluating[id] = EvaluationSubject(
      textPath: path, plan: history.current, schemes: model.schemes, bytes: bytes,
      bitsPerWeight: model.bitsPerWeight(ofBytes: bytes))
    let compares = model.schemes.contains { !$0.keepsLayer }
    inform("Evaluating on \(path)")
    return [.engine(.evaluate(id, EvaluationRequest(textPath: expanded(path), compares: compares)))]
  }

  /// Copies what the focused pane is about.
  mutating func copy() -> [Effect] {
    let text: String?
    switch screen == .chat ? .prompt : pane {
    case .table: text = model.flatMap { rowText(in: $0) }
    case .inspector: text = model.flatMap { metricsText(in: $0) }
    case .prompt: text = answersText
    }
    guard let text else {
      inform("Nothing to copy here")
      return []
    }
    inform("Copied \(text.split(separator: "\n").count) lines")
    return [.copy(text)]
  }

  private func rowText(in model: OpenModel) -> String? {
    guard let row = table.row else { return nil }
    return table.layers(of: row, in: model).map { index in
      let layer = model.layers[index]
      let error = model.currentReport(index)?.error.sqnr.map { "\(Figures.fixed($0, 2)) dB" } ?? "-"
      return [
        layer.name, "\(layer.rows)x\(layer.columns)", model.schemes[index].summary,
        "\(model.size(index).total) bytes", error,
      ].joined(separator: "\t")
    }.joined(separator: "\n")
  }

  private func metricsText(in model: OpenModel) -> String? {
    guard let layer = inspectedLayer, let report = model.currentReport(layer) else { return nil }
    return ReportText(report, glyphs: .ascii).rows.map { "\($0.name)\t\($0.value)" }
      .joined(separator: "\n")
  }

  /// All turns of the chat, as Markdown; nil before there is one.
  private var answersText: String? {
    guard !conversation.exchanges.isEmpty else { return nil }
    return conversation.exchanges.map { exchange in
      let answers = conversation.sides.map { "## \($0.rawValue)\n\(exchange.answer($0).text)" }
      return (["# \(exchange.prompt)"] + answers).joined(separator: "\n\n")
    }.joined(separator: "\n\n")
  }
}
