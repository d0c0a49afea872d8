import Checkpoints
import Engine
import Export

extension AppState {
  /// Opens an input line and gives it the keyboard.
  mutating func open(_ line: InputLine) -> [Effect] {
    self.line = line
    overlay = nil
    listings = [:]
    return renewCompletions()
  }

  /// Asks for an action's argument in a field.
  ///
  /// - Parameter action: Whose argument it is. What is offered is replaced by typing.
  /// - Returns: What is to be found out for completions.
  mutating func ask(for action: Action) -> [Effect] {
    let (title, text): (String, String) =
      switch action {
      case .bits: ("bits", "")
      case .group: ("group size", "")
      case .method: ("method", "")
      case .sparsity: ("sparsity", "")
      case .prune: ("prune to", "")
      case .target: ("plan for target", target?.rawValue ?? "")
      case .write: ("write plan to", suggestedPlanPath)
      case .writeQuit: ("write plan and quit to", suggestedPlanPath)
      case .plan: ("open plan", "")
      case .open: ("open checkpoint", "")
      case .from: ("begin from quantized file", layout?.path ?? "")
      case .evaluate: ("evaluate on text file", evaluationText)
      case .measureAll: ("measure all plans on text file", evaluationText)
      case .calibrate: ("calibrate on text file", calibrationText)
      case .sensitivity: ("measure sensitivity on text file", calibrationText)
      case .refine: ("measure layers on text file", evaluationText)
      case .budget: ("budget", "")
      case .context: ("tokens of a sequence", "")
      case .batch: ("sequences at once", "")
      case .system: ("system prompt", conversation.settings.system ?? "")
      case .prompts: ("ask each prompt of file", "")
      case .columns: ("columns", (table.columns ?? []).map(\.rawValue).joined(separator: " "))
      case .serve: ("server's URL and model", serverURL ?? "")
      case .submit: ("cluster's URL, and the model there", cluster.lastURL ?? "")
      case .snapshot: ("keep the plan as", suggestedSnapshotName)
      case .rename: ("rename to", "")
      case .export: ("export to", export.path(for: model?.description.name ?? ""))
      default: (action.rawValue, "")
      }
    return open(InputLine(.argument(action), title: title, text: text))
  }

  /// What follows from a changed text: new completions, and a filter filters at once.
  mutating func lineChanged() -> [Effect] {
    if let line, case .filter = line.purpose {
      filter(line.editor.text)
      let flaw = notice?.text
      notice = nil
      let effects = renewCompletions()
      self.line?.flaw = flaw
      return effects
    }
    return renewCompletions()
  }

  /// Leaves the line; a filter goes back to what it was.
  mutating func closeLine() -> [Effect] {
    let purpose = line?.purpose
    line = nil
    if case .filter(let before) = purpose { filter(before) }
    return purpose == .argument(.export) ? showExport() : []
  }

  /// Accepts or completes what is typed, in the line, the palette or a list.
  mutating func edit(_ action: Action) -> [Effect] {
    switch overlay {
    case .palette(let palette): return action == .accept ? accept(palette) : completePalette(action)
    case .themes:
      overlay = nil
      return []
    case .help(let page):
      if action == .accept { changeHelp(page) { $0.isTyping = false } }
      return []
    case .confirmation, .evaluation, .export: return []
    case nil: break
    }
    guard let line else { return [] }
    switch action {
    case .accept: return accept(line)
    case .complete: return complete(by: 1)
    default: return complete(by: -1)
    }
  }

  private mutating func accept(_ line: InputLine) -> [Effect] {
    let text = line.editor.text.trimmingBlanks()
    if case .filter = line.purpose {
      self.line = nil
      filter(line.editor.text)
      return []
    }
    guard !text.isEmpty else {
      self.line = nil
      return []
    }
    let command: Command
    if case .argument(let action) = line.purpose {
      command = Command(action, Self.choice(of: line) ?? String(text))
    } else if let parsed = Command(parsing: text), !parsed.action.isLocal {
      command = parsed
      if commandHistory.last != parsed.text { commandHistory.append(parsed.text) }
    } else {
      let name = text.split(separator: " ").first ?? text
      self.line?.flaw = "No command \"\(name)\"; Tab completes, ? shows all"
      return []
    }
    self.line = nil
    notice = nil
    let effects = perform(command)
    if notice?.kind == .failure, self.line == nil {
      self.line = line
      self.line?.flaw = notice?.text
      notice = nil
    }
    return effects
  }

  /// What a few letters stand for where they begin only one of the choices; nil for texts and paths.
  private static func choice(of line: InputLine) -> String? {
    guard line.action?.argument.isChoice == true, !line.editor.isOffered,
      line.completions.count == 1
    else { return nil }
    return line.completions[0].text
  }

  /// Puts the next completion into the line, after what all of them have in common.
  private mutating func complete(by distance: Int) -> [Effect] {
    guard var line, !line.completions.isEmpty else { return [] }
    let all = line.completions
    if all.count == 1 {
      line.editor.replace(with: all[0].text)
      self.line = line
      return lineChanged()
    }
    let common = Self.commonPrefix(of: all.map(\.text))
    if line.chosen == nil, distance > 0, common.count > line.editor.text.count {
      line.editor.replace(with: common)
      self.line = line
      return lineChanged()
    }
    let start = line.chosen ?? (distance > 0 ? -1 : 0)
    let place = (start + distance + all.count) % all.count
    line.chosen = place
    line.editor.replace(with: all[place].text)
    self.line = line
    if case .filter = line.purpose { filter(line.editor.text) }
    return []
  }

  private static func commonPrefix(of texts: [String]) -> String {
    guard var prefix = texts.first else { return "" }
    for text in texts.dropFirst() {
      while !text.hasPrefix(prefix) { prefix.removeLast() }
    }
    return prefix
  }

  /// Up and down in the line: choose a completion; in the command line also earlier commands.
  mutating func moveInLine(by distance: Int) -> [Effect] {
    guard var line else { return [] }
    if case .command = line.purpose, line.chosen == nil,
      line.editor.text.isEmpty || commandHistory.contains(line.editor.text)
    {
      let place = commandHistory.lastIndex(of: line.editor.text) ?? commandHistory.count
      let next = place + (distance < 0 ? -1 : 1)
      guard next >= 0 else { return [] }
      line.editor.replace(with: next < commandHistory.count ? commandHistory[next] : "")
      self.line = line
      return renewCompletions()
    }
    return complete(by: distance < 0 ? -1 : 1)
  }

  // MARK: Palette

  private mutating func accept(_ palette: Palette) -> [Effect] {
    let rows = PaletteMatches(keys: keys, text: palette.editor.text).rows
    overlay = nil
    guard rows.indices.contains(palette.selected) else {
      inform("No command fits \"\(palette.editor.text)\"")
      return []
    }
    return perform(Command(rows[palette.selected].action))
  }

  private mutating func completePalette(_ action: Action) -> [Effect] {
    move(action == .complete ? .down : .up)
  }
}
