import Checkpoints
import Compression
import Engine

extension AppState {
  /// Goes to the prompt, or sends `text` as one.
  mutating func startPrompt(_ text: String?) -> [Effect] {
    screen = .layers
    focus(.prompt)
    guard let text else { return [] }
    conversation.editor.replace(with: text)
    return runPrompt()
  }

  /// Lets both models, and the server if there is one, answer what is in the prompt's input line.
  mutating func runPrompt() -> [Effect] {
    guard let model else {
      inform("No model is open; Esc, then o opens one")
      return []
    }
    let prompt = conversation.editor.text
    guard !prompt.trimmingBlanks().isEmpty else {
      inform("Type a prompt first")
      return []
    }
    var effects: [Effect] = []
    if conversation.isRunning, let job = conversation.job { effects.append(.engine(.cancel(job))) }
    let id = jobs.queue(.generate, for: prompt)
    let isAsPlanned = model.readyLayers >= model.changedLayers
    answeredPlan = isAsPlanned ? history.current : nil
    let request = conversation.ask(prompt, job: id)
    effects.append(.engine(.generate(id, request)))
    return effects
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
    switch pane {
    case .table: text = model.flatMap { rowText(in: $0) }
    case .inspector: text = model.flatMap { metricsText(in: $0) }
    case .prompt: text = conversation.asked.map { answersText(to: $0) }
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

  private func answersText(to prompt: String) -> String {
    let answers = conversation.sides.map { side in
      "## \(side.rawValue)\n\(conversation.answer(side).tokens.map(\.text).joined())"
    }
    return (["# \(prompt)"] + answers).joined(separator: "\n\n")
  }
}
