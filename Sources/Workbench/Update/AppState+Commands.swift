import Compression
import Engine
import Terminal

extension AppState {
  /// Does what a key, a click, the palette or the command line asked for.
  mutating func perform(_ command: Command) -> [Effect] {
    let argument = command.argument
    if overlay == .export, let effects = changeExport(command) { return effects }
    if let obstacle = obstacle(to: command) {
      refuse(obstacle)
      return []
    }
    switch command.action {
    case .left where isBrowsingChat, .right where isBrowsingChat:
      if reading.view == .tokens { moveInChat(by: command.action == .left ? -1 : 1) }
      return []
    case .left, .right, .smaller, .larger, .smallest, .largest:
      if screen == .budget, overlay == nil, line == nil { return moveBudget(command.action) }
      if screen == .hardware, overlay == nil, line == nil { return changeFit(command.action) }
      return move(command.action)
    case .unmark:
      table.marks = []
      table.dropRange()
      return []
    case .mark, .markAll:
      switch screen {
      case .layers: return chooseLayers(command)
      case .budget: return setBudgetOption(command)
      case .compare: if command.action == .mark { snapshots.pick(snapshots.cursor) }
      case .chat: pickBlocks(command.action)
      case .start, .history, .hardware, .jobs: break
      }
      return []
    case .up, .down, .top, .bottom, .pageUp, .pageDown, .halfPageUp, .halfPageDown,
      .enter, .back, .nextPane, .previousPane:
      return move(command.action)
    case .nextMatch where isBrowsingChat, .previousMatch where isBrowsingChat:
      moveToDisagreement(command.action == .nextMatch ? 1 : -1)
      return []
    case .fewerBits where isBrowsingChat, .moreBits where isBrowsingChat:
      return changeBlocks(command)
    case .range, .markRole, .nextMatch, .previousMatch, .foldAll, .unfoldAll,
      .sort, .filter, .columns:
      if case .help(let page) = overlay {
        changeHelp(page) { $0.isTyping = true }
        return []
      }
      return chooseLayers(command)
    case .bits, .keep, .fewerBits, .moreBits, .group, .method, .sparsity, .undo, .redo:
      return changePlan(command)
    case .prune: return argument.map { prune($0) } ?? ask(for: .prune)
    case .write: return write(to: argument)
    case .writeQuit: return writeAndQuit(to: argument)
    case .plan: return argument.map { openPlan($0) } ?? ask(for: .plan)
    case .open: return argument.map { openCheckpoint($0) } ?? ask(for: .open)
    case .from: return argument.map { readLayout(of: $0) } ?? ask(for: .from)
    case .export: return openExport(argument)
    case .target: return argument.map { planFor($0) } ?? ask(for: .target)
    case .nearest: return takeNearest()
    // It has a meaning in the export overlay only.
    case .replace: return []
    case .matrix: return showMatrix(argument)
    case .inspect, .logarithmic: return inspect(command)
    case .copy: return copy()
    case .prompt: return startPrompt(argument)
    case .run: return runPrompt()
    case .newline:
      return type { editor, keepsBreaks in
        editor.insert("\n", keepsLineBreaks: keepsBreaks)
        return true
      }
    case .stop: return stop()
    case .regenerate: return regenerate()
    case .goOn: return goOnAnswering()
    case .newChat, .older, .newer: return changeChat(command.action)
    case .system: return argument.map { setSystem($0) } ?? ask(for: .system)
    case .prompts:
      return argument.map { [.readPrompts(path: $0)] } ?? ask(for: .prompts)
    case .chat: return showChat()
    case .view: return showView(argument)
    case .parting: return showParting()
    case .part: return partByBlock()
    case .swap:
      swapAnswer()
      return []
    case .serve: return argument.map { serve($0) } ?? ask(for: .serve)
    case .submit: return argument.map { submit($0) } ?? ask(for: .submit)
    case .set: return argument.map { set($0) } ?? ask(for: .set)
    case .evaluate: return argument.map { evaluate($0) } ?? ask(for: .evaluate)
    case .measureAll: return argument.map { measureAll(on: $0) } ?? ask(for: .measureAll)
    case .evaluation: return showEvaluation()
    case .calibrate: return argument.map { calibrate($0) } ?? ask(for: .calibrate)
    case .sensitivity: return argument.map { measureSensitivity($0) } ?? ask(for: .sensitivity)
    case .refine: return argument.map { refine(on: $0) } ?? ask(for: .refine)
    case .budget: return setBudget(argument)
    case .frontier: return show(.budget)
    case .fuse, .exact, .versus, .pin: return setBudgetOption(command)
    case .apply: return screen == .hardware ? solveForMachine() : applyBudget()
    case .probe where screen == .start: return lookForModels()
    case .context, .batch, .kv, .probe: return changeFit(command)
    case .snapshot: return takeSnapshot(argument)
    case .restore, .rename, .delete: return changeSnapshots(command)
    case .models: return showStart()
    case .layers: return show(.layers)
    case .compare: return show(.compare)
    case .history: return showHistory(argument)
    case .hardware: return showHardware()
    case .jobs: return show(.jobs)
    case .command: return open(InputLine(.command, title: ":"))
    case .palette:
      overlay = .palette(Palette())
      return []
    case .help:
      overlay = .help(HelpPage())
      return []
    case .theme: return argument.map { useTheme($0) } ?? pickTheme()
    case .nextTheme:
      useNextTheme()
      return []
    case .mouse: return setMouse(!hasMouse)
    case .cancel: return cancel()
    case .quit: return quit(argument)
    case .suspend: return [.suspend]
    case .redraw: return [.redraw]
    case .complete, .completeBack, .accept: return edit(command.action)
    }
  }

  mutating func show(_ screen: AppScreen) -> [Effect] {
    self.screen = screen
    overlay = nil
    line = nil
    return []
  }

  private mutating func inspect(_ command: Command) -> [Effect] {
    if command.action == .logarithmic {
      inspector.isLogarithmic.toggle()
      inform(inspector.isLogarithmic ? "Logarithmic counts" : "Linear counts")
      return []
    }
    if lowerPane != .inspector, pane != .inspector {
      lowerPane = .inspector
      if command.argument == nil { return [] }
    }
    guard let name = command.argument else {
      inspector.step(by: 1)
      return []
    }
    guard let tab = InspectorState.Tab(rawValue: name) else {
      let known = InspectorState.Tab.allCases.map(\.rawValue).joined(separator: ", ")
      refuse("The inspector has no tab \"\(name)\"; it has \(known)")
      return []
    }
    inspector.tab = tab
    return []
  }

  mutating func setMouse(_ isOn: Bool) -> [Effect] {
    hasMouse = isOn
    inform(isOn ? "Mouse on" : "Mouse off: the terminal selects text; M switches it on again")
    return [.setMouse(isOn)]
  }

  private mutating func set(_ text: String) -> [Effect] {
    let words = text.split(separator: " ", maxSplits: 1)
    guard let name = words.first, let setting = Setting(rawValue: String(name)) else {
      let known = Setting.allCases.map(\.rawValue).joined(separator: ", ")
      refuse("No setting \"\(words.first ?? "")\"; there are \(known)")
      return []
    }
    let value = words.count > 1 ? String(words[1].trimmingBlanks()) : ""
    switch setting {
    case .mouse where ["on", "off"].contains(value): return setMouse(value == "on")
    case .links where ["on", "off"].contains(value):
      showsLinks = value == "on"
      inform(showsLinks ? "Paths and addresses are links" : "No links")
      return [.setLinks(showsLinks), .keepChoice(.links, value)]
    case .notify:
      guard let chosen = Attention(rawValue: value) else { break }
      attention = chosen
      inform(
        chosen == .off ? "Ends of jobs are told here alone" : "Ends of jobs are told by \(value)")
      return [.keepChoice(.notify, value)]
    case .plot where !glyphs.isASCII || value == "ascii":
      guard let plot = Glyphs.Plot(rawValue: value) else { break }
      glyphs.plot = plot
      return []
    default:
      if conversation.settings.set(setting, to: value) {
        inform(conversation.settings.summary(separator: glyphs.separator))
        return []
      }
    }
    refuse("\(setting.rawValue) is \(setting.help)")
    return []
  }

  private mutating func showEvaluation() -> [Effect] {
    if evaluation == nil {
      inform("Nothing is evaluated yet; x measures both models on a text")
    } else {
      overlay = .evaluation
    }
    return []
  }

  /// Cancels the job that people wait for; pressed twice it quits.
  private mutating func cancel() -> [Effect] {
    if isCancelArmed {
      isCancelArmed = false
      return quit()
    }
    isCancelArmed = true
    overlay = nil
    let selected = screen == .jobs ? jobs.selected : nil
    guard let job = selected ?? jobs.front else {
      inform("Nothing runs; ctrl-c again quits")
      return []
    }
    inform("Cancelling: \(job.title); ctrl-c again quits")
    if let entry = cluster.entries[job.id] { return [.stopJob(entry.job)] }
    return [.engine(.cancel(job.id))]
  }
}
