/// Everything a key, a click or the command line can ask for; the raw value is the command's name.
enum Action: String, CaseIterable, Codable, Hashable, Sendable {
  // Moving
  case up, down, left, right, top, bottom, enter, back
  case pageUp = "page-up"
  case pageDown = "page-down"
  case halfPageUp = "half-page-up"
  case halfPageDown = "half-page-down"
  case nextPane = "next-pane"
  case previousPane = "previous-pane"

  // Choosing layers
  case mark, range, filter, sort, columns
  case markRole = "mark-role"
  case markAll = "mark-all"
  case unmark
  case nextMatch = "next-match"
  case previousMatch = "previous-match"
  case foldAll = "fold-all"
  case unfoldAll = "unfold-all"

  // Changing the plan
  case bits, keep, group, method, sparsity, prune, target, nearest, undo, redo
  case fewerBits = "fewer-bits"
  case moreBits = "more-bits"

  // Files
  case write, plan, open, from, export, replace
  case writeQuit = "write-quit"

  // Looking
  case inspect, matrix
  case logarithmic = "log"
  case copy

  // Asking the models
  case prompt, run, stop, regenerate, system, chat, view, parting, part, swap, prompts, older, newer
  case newline
  case goOn = "continue"
  case newChat = "new"
  case serve, submit, set, evaluate, evaluation, calibrate, sensitivity, refine

  // Solving for a budget
  case budget, frontier, apply, smaller, larger, smallest, largest, fuse, exact, versus, pin

  // Fitting machines
  case context, batch, kv, probe

  // Comparing plans
  case snapshot, restore, rename, delete
  case measureAll = "measure-all"

  // Screens and program
  case models, layers, compare, history, hardware, jobs, command, palette, help, theme,
    mouse, cancel, quit, suspend,
    redraw
  case nextTheme = "next-theme"

  // Inside a text field
  case complete
  case completeBack = "complete-back"
  case accept
}

extension Action {
  /// The action of a command's name, or of what vi calls it.
  init?(named name: some StringProtocol) {
    switch name {
    case "w": self = .write
    case "q": self = .quit
    case "wq": self = .writeQuit
    default:
      guard let action = Action(rawValue: String(name)) else { return nil }
      self = action
    }
  }

  /// What may stand behind the command's name.
  var argument: ArgumentKind {
    switch self {
    case .bits: .bits
    case .keep, .fewerBits, .moreBits: .layers
    case .group: .group
    case .method: .method
    case .sparsity: .sparsity
    case .prune: .prune
    case .target: .target
    case .filter: .filter
    case .sort: .sort
    case .columns: .columns
    case .write, .writeQuit, .plan: .planPath
    case .open, .from: .checkpointPath
    case .export: .exportPath
    case .evaluate, .calibrate, .refine, .measureAll: .textPath
    case .sensitivity: .sensitivity
    case .budget: .budget
    case .context: .context
    case .batch: .batch
    case .kv: .cachePrecision
    case .restore, .delete: .snapshot
    case .snapshot, .rename: .text
    case .prompt: .prompt
    case .system: .system
    case .prompts: .textPath
    case .view: .view
    case .history: .history
    case .serve: .server
    case .submit: .cluster
    case .theme: .theme
    case .inspect: .inspectorTab
    case .matrix: .matrixFigure
    case .set: .setting
    default: .none
    }
  }

  /// Whether there is nothing to do it with while no model is open.
  var needsModel: Bool {
    switch self {
    case .up, .down, .left, .right, .top, .bottom, .pageUp, .pageDown, .halfPageUp, .halfPageDown,
      .nextPane, .previousPane, .open, .models, .probe, .jobs, .command, .palette, .help, .theme,
      .nextTheme, .set, .mouse, .cancel, .quit, .suspend, .redraw:
      false
    default: !isLocal
    }
  }

  /// Whether it only makes sense while a field or an overlay has the keyboard.
  var isLocal: Bool {
    switch self {
    case .enter, .back, .complete, .completeBack, .accept, .run, .newline, .replace: true
    default: false
    }
  }
}

/// The kinds of argument that a command takes; they decide how it is completed and checked.
enum ArgumentKind: Hashable, Sendable {
  case none, layers, bits, group, method, sparsity, prune, target, filter, sort, columns, planPath,
    checkpointPath,
    textPath, exportPath, text
  case theme, inspectorTab, setting, sensitivity, budget, snapshot, server, history, context, batch,
    cachePrecision, matrixFigure, prompt, system, view, cluster

  /// How usage lines name it; empty when there is none.
  var placeholder: String {
    switch self {
    case .none: ""
    case .layers: "[LAYERS]"
    case .bits: "2-8 [LAYERS]"
    case .group: "SIZE|channel [LAYERS]"
    case .method: "WORDS [LAYERS]"
    case .sparsity: "RATIO|N:M|none [LAYERS]"
    case .prune: "KIND COUNT|none"
    case .target: "NAME|none"
    case .filter, .text: "TEXT"
    case .prompt: "TEXT|FILE"
    case .system: "TEXT|off"
    case .sort: "ORDER"
    case .columns: "NAMES|auto"
    case .planPath, .checkpointPath, .textPath, .exportPath: "PATH"
    case .sensitivity: "[open|save] PATH"
    case .budget: "SIZE|BPW|KLD"
    case .context: "TOKENS"
    case .batch: "COUNT"
    case .cachePrecision: "f32|f16|int8"
    case .matrixFigure: "FIGURE|off"
    case .theme, .snapshot: "NAME"
    case .inspectorTab: "TAB"
    case .view: "answers|tokens|blocks|prompts"
    case .setting: "NAME VALUE"
    case .server: "URL [MODEL]|off"
    case .history: "csv PATH"
    case .cluster: "URL [MODEL]"
    }
  }

  /// Whether it is one of a few names.
  var isChoice: Bool {
    switch self {
    case .target, .theme, .inspectorTab, .sort, .view: true
    default: false
    }
  }

  /// Whether completing it needs to know what is in a directory.
  var isPath: Bool {
    switch self {
    case .planPath, .checkpointPath, .textPath, .exportPath, .sensitivity, .history: true
    default: false
    }
  }
}

/// An action with what it is to be done with: `bits 4`, `theme light`, `undo`.
struct Command: Hashable, Sendable {
  var action: Action
  var argument: String?

  init(_ action: Action, _ argument: String? = nil) {
    self.action = action
    self.argument = argument
  }

  /// Reads a command line; nil if its first word names no command.
  init?(parsing text: some StringProtocol) {
    let words = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
    guard let name = words.first else { return nil }
    if name == "q!" || name == "quit!" {
      self.init(.quit, "!")
      return
    }
    guard let action = Action(named: name) else { return nil }
    let rest = words.count > 1 ? words[1].trimmingBlanks() : ""
    self.init(action, rest.isEmpty ? nil : String(rest))
  }

  /// What the command line would say.
  var text: String {
    argument.map { "\(action.rawValue) \($0)" } ?? action.rawValue
  }
}

extension StringProtocol {
  /// The text without blanks at its ends.
  func trimmingBlanks() -> Self.SubSequence {
    let start = firstIndex { !$0.isWhitespace } ?? endIndex
    let end = lastIndex { !$0.isWhitespace }.map { index(after: $0) } ?? start
    return self[start..<end]
  }
}
