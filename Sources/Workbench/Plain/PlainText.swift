import Allocation
import Checkpoints
import Compression
import Engine
import Export
import Sessions
import Terminal

/// What screens and overlays show, as lines that are read one after another.
struct PlainText {
  let state: AppState

  /// What is seen now: the overlay, or else the screen.
  var lines: [String] {
    switch state.overlay {
    case .help: return commands
    case .palette: return ["A command by a few letters of it:"]
    case .themes:
      return ["Themes: \(state.themeChoices.joined(separator: ", ")). `theme NAME` takes one."]
    case .confirmation(let confirmation): return question(confirmation)
    case .evaluation: return evaluation
    case .export: return export
    case nil: break
    }
    switch state.screen {
    case .start: return models
    case .layers: return layers
    case .budget: return budget
    case .compare: return state.compared.map(plan)
    case .history: return state.evaluations.all.map { plan(state.evaluatedPlan($0)) }
    case .hardware: return drawn
    case .chat: return state.conversation.exchanges.flatMap(exchange)
    case .jobs: return jobs
    }
  }

  /// The model, its plan and what both take.
  var summary: [String] {
    guard let model = state.model else { return [] }
    let description = model.description
    let size = Figures.totalBytes(description.tensorBytes)
    var lines = [
      "\(description.name): \(description.architecture), \(description.blockCount) blocks, "
        + "\(description.layers.count) layers, \(Figures.parameters(description.parameterCount)) "
        + "parameters, \(size)."
    ]
    if model.schemes.contains(where: { !$0.keepsLayer }) { lines.append(planNow) }
    return lines
  }

  /// What the plan comes to.
  var planNow: String {
    guard let model = state.model else { return "No model is open." }
    let total = model.total
    let tilde = total.isEstimate ? "about " : ""
    let owner = state.target.map { " as files of \($0.rawValue)" } ?? ""
    return "Plan \(state.history.name): \(tilde)\(Figures.totalBytes(total.bytes))\(owner), "
      + "\(Figures.fixed(total.bitsPerWeight, 2)) bits a weight."
  }

  // MARK: Screens

  private var models: [String] {
    guard !state.start.entries.isEmpty else {
      let isLooking = state.start.isLooking
      return [isLooking ? "Looking for models." : "No model was found: `open PATH` opens one."]
    }
    return state.start.entries.enumerated().map { place, entry in
      let size = entry.bytes.map { ", \(Figures.totalBytes($0))" } ?? ""
      return "\(place + 1). \(entry.name), \(entry.group.title)\(size): \(entry.path)"
    } + ["A number opens a model."]
  }

  /// Layers that the filter lets through, in the table's order.
  private var layers: [String] {
    guard let model = state.model else { return [] }
    let order =
      state.table.order == .natural
      ? state.table.matching : state.table.order.sorted(state.table.matching, of: model)
    return order.map { layer($0, of: model) } + [planNow]
  }

  /// A layer in a line.
  func layer(_ index: Int, of model: OpenModel) -> String {
    var parts = [
      model.schemes[index].summary,
      (model.isSizeEstimate(index) ? "about " : "") + Figures.bytes(model.size(index).total),
    ]
    if let sqnr = model.currentReport(index)?.error.sqnr {
      let standing = model.standing(index) == .exact ? "" : "about "
      parts.append("\(standing)\(Figures.fixed(sqnr, 1)) dB")
    }
    if let divergence = model.divergence(index), !model.schemes[index].keepsLayer {
      parts.append("predicted KLD \(Figures.significant(divergence))")
    }
    if let refusal = model.refusal(index) { parts.append(refusal.reason) }
    let mark = state.table.marks.contains(index) ? "marked, " : ""
    return "\(model.layers[index].name): \(mark)\(parts.joined(separator: ", "))"
  }

  private var budget: [String] {
    let owner = state.target.map { " of \($0.rawValue)'s files" } ?? ""
    guard let target = state.budget.target else {
      return state.model?.sensitivity.isEmpty == false
        ? ["No budget yet: `budget 90MB`, `budget 4.5bpw` or `budget kld=0.05` solves for one."]
        : [
          "What a layer's error costs is not measured yet: `sensitivity PATH` measures it on a text."
        ]
    }
    if let refusal = state.budget.refusal { return [refusal] }
    guard let proposal = state.budget.proposal, !state.budget.isPending else { return [] }
    let (low, high) = (proposal.divergence.low, proposal.divergence.high)
    return [
      "Budget \(BudgetWords.text(target))\(owner): \(Figures.totalBytes(proposal.bytes)), "
        + "\(Figures.fixed(proposal.bitsPerWeight, 2)) bits a weight, predicted KLD "
        + "\(Figures.significant(proposal.divergence.mean)), between \(Figures.significant(low)) and "
        + "\(Figures.significant(high)). `apply` makes it the plan."
    ]
  }

  private func plan(_ snapshot: Snapshot) -> String {
    var parts = [
      Figures.totalBytes(snapshot.bytes),
      "\(Figures.fixed(snapshot.bitsPerWeight, 2)) bits a weight",
    ]
    if let measured = snapshot.measured {
      parts.append(
        EvaluationText(measured.result, glyphs: state.glyphs).parts.joined(separator: ", "))
      parts.append("measured on \(measured.text.fileName)")
    } else if let predicted = snapshot.predicted {
      parts.append("predicted KLD \(Figures.significant(predicted.mean))")
    }
    return "\(snapshot.name): \(parts.joined(separator: ", "))"
  }

  private var jobs: [String] {
    let lines = state.jobs.newestFirst.map { job in
      switch job.outcome {
      case .finished: "\(job.title): done\(job.result.map { ", \($0)" } ?? "")"
      case .cancelled: "\(job.title): cancelled"
      case .failed(let reason): "\(job.title): failed, \(reason)"
      case nil: progress(of: job)
      }
    }
    return lines.isEmpty ? ["Nothing has run yet."] : lines
  }

  /// How far a job is, in a sentence.
  func progress(of job: Job) -> String {
    guard let progress = job.progress, progress.total > 0 else { return "\(job.title): under way." }
    let share = 100 * progress.completed / progress.total
    let left = progress.secondsLeft.map { ", \(Figures.duration($0)) left" } ?? ""
    return "\(job.title): \(share) percent\(left)."
  }

  /// A turn of the chat.
  func exchange(_ exchange: Exchange) -> [String] {
    let names: [AnswerSide: String] = [
      .reference: "Original", .compressed: "Compressed", .served: "Served",
    ]
    var lines = ["Prompt: \(exchange.prompt)"]
    for side in AnswerSide.allCases {
      let answer = exchange.answer(side)
      guard !answer.tokens.isEmpty || answer.failure != nil else { continue }
      lines.append("\(names[side] ?? ""): \(answer.failure ?? answer.text)")
    }
    if let parting = exchange.comparison.parting {
      lines.append("The answers part at token \(parting + 1).")
    }
    return lines
  }

  // MARK: Overlays

  private func question(_ confirmation: Confirmation) -> [String] {
    [confirmation.question]
      + confirmation.choices.map { "\($0.key): \($0.label)" } + [
        "An empty line: \(confirmation.escape)"
      ]
  }

  private var evaluation: [String] {
    guard let evaluation = state.evaluation else { return [] }
    let other = state.isEvaluationCurrent ? "" : ", of another plan"
    return ["Measured on \(evaluation.textPath)\(other):"]
      + EvaluationText(evaluation.result, glyphs: state.glyphs).rows.map {
        "\($0.name): \($0.value)"
      }
  }

  private var export: [String] {
    guard state.export.preview != nil else { return [] }
    let text = ExportText(state)
    let list = text.list.map { line in
      [line.name, line.figure, line.text].filter { !$0.isEmpty }.joined(separator: ", ")
    }
    return ["Export for \(state.export.choice.name) to \(text.destination): \(text.heading.text)"]
      + list + (text.outcome.map { [$0.text] } ?? [])
      + ["yes exports, replace takes the place of what is there, an empty line closes."]
  }

  private var commands: [String] {
    state.keys.actionsInOrder.filter { !$0.isLocal }.map { action in
      let argument = action.argument.placeholder
      let usage = argument.isEmpty ? action.rawValue : "\(action.rawValue) \(argument)"
      return "\(usage): \(state.keys.entry(for: action)?.help ?? "")"
    }
  }

  /// The screen as it is drawn, without boxes, rules and blank lines, on a line so long that nothing is cut.
  private var drawn: [String] {
    var wide = state
    wide.size = Size(columns: 240, rows: 160)
    let body = view(wide, size: wide.size).text().split(separator: "\n").dropFirst(2).dropLast(2)
    return body.compactMap { line in
      let words = line.split(separator: " ").filter { word in
        !word.allSatisfy { "+-|".contains($0) }
      }
      return words.isEmpty ? nil : words.joined(separator: " ")
    }
  }
}
