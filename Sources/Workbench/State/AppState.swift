import Allocation
import Checkpoints
import Compression
import Engine
import Export
import Foundation
import Inference
import Sessions
import Terminal

/// Which screen is shown.
enum AppScreen: String, Codable, Hashable, Sendable {
  case start, layers, chat, budget, compare, history, hardware, jobs
}

/// The panes of the Layers screen, in the order that Tab goes through them.
enum Pane: Int, CaseIterable, Codable, Hashable, Sendable {
  case table, inspector, prompt
}

/// What the inspector shows of a layer.
struct InspectorState: Hashable, Sendable {
  enum Tab: String, CaseIterable, Codable, Hashable, Sendable {
    case weights, error, channels
  }

  var tab = Tab.weights
  /// Whether bars stand for the logarithm of counts.
  var isLogarithmic = false
  /// First of the worst channels shown.
  var top = 0

  mutating func step(by distance: Int) {
    let all = Tab.allCases
    let place = all.firstIndex(of: tab) ?? 0
    tab = all[(place + distance + all.count) % all.count]
    top = 0
  }
}

/// How far opening a checkpoint has come.
enum Opening: Hashable, Sendable {
  case idle
  case opening(path: String)
  case failed(path: String, reason: String)
}

/// The whole state of the workbench: what ``update(_:_:)`` changes and ``view(_:size:)`` draws.
struct AppState: Hashable, Sendable {
  // The terminal and how to draw on it.
  var size = Size(columns: 80, rows: 24)
  var glyphs = Glyphs.unicode
  var depth = ColorDepth.trueColor
  var themes: [Theme]
  var themeIndex = 0
  /// Whether the theme follows the terminal's ground.
  var isThemeAutomatic = true
  /// Whether the terminal's ground is a light one; nil where it does not say.
  var isGroundLight: Bool?
  /// The choice of theme that was last kept for later sessions, or begun with; nil before there is one.
  var keptTheme: String?
  /// Whether a theme was chosen in this session.
  var hasChosenTheme = false
  /// How the user is called when a long job ends.
  var attention = Attention.off
  /// Whether paths and addresses are links, where the terminal opens what it is told of.
  var showsLinks = false
  var hasMouse = true
  var keys = KeyTable.standard

  // The model and its plan.
  var opening = Opening.idle
  var model: OpenModel?
  var history = PlanHistory()
  /// A plan to read as soon as the model is open.
  var pendingPlan: String?

  // What is shown.
  var screen = AppScreen.layers
  var pane = Pane.table
  /// The pane shown where inspector and prompt share a place.
  var lowerPane = Pane.inspector
  var table = LayerTable()
  /// What the matrix of blocks and roles tells, in place of the list; nil for the list.
  var matrix: MatrixFigure?
  var inspector = InspectorState()
  var conversation = Conversation()
  var reading = ReadingState()
  var batch = PromptBatch()
  var jobs = JobList()
  var cluster = ClusterState()
  var evaluations = EvaluationList()
  /// Texts that running evaluations are about, and the plans they measure.
  var evaluating: [JobID: EvaluationSubject] = [:]
  /// Plans that are measured one after another; nil while none are.
  var measuring: MeasuringRun?
  var session = SessionState()
  /// The text file that is offered first.
  var evaluationText = ""
  /// What the current plan should cost, while nobody has measured it.
  var predicted: PredictedDivergence?
  var budget = BudgetState()
  var snapshots = SnapshotList()
  var start = StartState()
  var hardware = HardwareState()
  var export = ExportForm()
  /// Who is to load what is planned, whichever model is open; nil for nobody yet.
  var target: ExportTarget?
  /// The plan that the compressed model's last answer was made under, if it was one throughout.
  var answeredPlan: Plan?
  var calibration: CalibrationSummary?
  /// The text file that calibration and sensitivity are offered first.
  var calibrationText = ""
  /// Where measured sensitivity is saved; nil keeps it in memory only.
  var sensitivityPath: String?

  var engine = EngineState()
  /// Whether there is a place where sessions are kept.
  var keepsSessions = true

  /// The directory that the workbench was started in; nil leaves relative paths as they are.
  var directory: String?
  /// What `~` stands for in paths; nil leaves it as it is.
  var homeDirectory: String?

  /// In which points in time are shown.
  var timeZone = TimeZone.gmt

  // What has the keyboard for now.
  var overlay: Overlay?
  var line: InputLine?
  /// Earlier command lines, oldest first.
  var commandHistory: [String] = []
  /// The first press of a sequence of two.
  var pendingPress: KeyPress?
  var notice: Notice?
  /// Whether the last key was `ctrl-c`, so that another one quits.
  var isCancelArmed = false
  var isQuittingAfterWrite = false
  /// Names in directories that completion has asked for.
  var listings: [String: [String]] = [:]
  /// The layers the engine was last told are looked at.
  var lookedAt: [String] = []
  /// The preview that was asked for and is awaited.
  var previewed: RequestedPreview?
  /// The quantized file of this model that the plan began from.
  var layout: StoredLayout?

  init(themes: [Theme] = Theme.builtIn) {
    self.themes = themes.isEmpty ? Theme.builtIn : themes
  }
}

/// A layer under a scheme that need not be the plan's.
struct RequestedPreview: Hashable, Sendable {
  let layer: String
  let scheme: Scheme
}

extension AppState {
  var theme: Theme { themes[min(themeIndex, themes.count - 1)] }

  /// Where the keyboard is, the narrowest place first.
  var contexts: [KeyContext] {
    context.chain
  }

  private var context: KeyContext {
    switch overlay {
    case .help(let page): return page.isTyping ? .line : .help
    case .palette: return .palette
    case .export: return .export
    case .themes: return .picker
    case .confirmation, .evaluation: return .confirmation
    case nil: break
    }
    if line != nil { return .line }
    switch screen {
    case .budget: return .budget
    case .compare: return .compare
    case .history: return .history
    case .hardware: return .hardware
    case .start: return .start
    case .jobs: return .jobs
    case .chat: return reading.isBrowsing ? .chat : .prompt
    case .layers: break
    }
    return switch pane {
    case .table: .table
    case .inspector: .inspector
    case .prompt: .prompt
    }
  }

  /// Whether letters are typed into a field now.
  var isTyping: Bool {
    switch overlay {
    case .palette: true
    case .help(let page): page.isTyping
    case nil: line != nil || isPrompting
    default: false
    }
  }

  /// What a running evaluation has found so far of the plan as it is, or the newest evaluation of it; where there is none,
  /// those of another plan.
  var evaluation: PlanEvaluation? {
    let running = evaluating.values.compactMap { subject in subject.found.map(subject.evaluation) }
    return running.first { $0.plan == history.current } ?? evaluations.current ?? running.first
      ?? evaluations.last
  }

  /// Whether ``evaluation`` is of the plan as it is.
  var isEvaluationCurrent: Bool {
    evaluation.map { $0.plan == history.current || $0 == evaluations.current } ?? false
  }

  /// The layers that a change would apply to.
  var targets: [Int] {
    model.map { table.targets(in: $0) } ?? []
  }

  /// The layer the inspector shows: the one under the cursor; nil on a block.
  var inspectedLayer: Int? {
    guard case .layer(let index)? = table.row else { return nil }
    return index
  }

  /// A path as the engine needs it, with `~/` written out, and from the root where the engine was started elsewhere.
  func expanded(_ path: String) -> String {
    if let homeDirectory, path.hasPrefix("~/") { return homeDirectory + path.dropFirst() }
    guard let directory, let place = engine.place, place.host == nil,
      place.directory != directory, !path.isEmpty, !path.hasPrefix("/")
    else { return path }
    return "\(directory)/\(path)"
  }

  /// A path from the root, for the terminal's user; of another machine's files nothing is known.
  func absolute(_ path: String) -> String {
    guard engine.address == nil else { return "" }
    if let homeDirectory, path.hasPrefix("~/") { return homeDirectory + path.dropFirst() }
    if path.hasPrefix("/") { return path }
    return directory.map { "\($0)/\(path)" } ?? ""
  }

  mutating func inform(_ text: String) { say(Notice(.info, text)) }
  mutating func confirm(_ text: String) { say(Notice(.success, text)) }
  mutating func warn(_ text: String) { notice = Notice(.warning, text) }
  mutating func refuse(_ text: String) { notice = Notice(.failure, text) }

  /// Good news never hides bad news, which stays until the next key.
  private mutating func say(_ notice: Notice) {
    switch self.notice?.kind {
    case .warning, .failure: break
    default: self.notice = notice
    }
  }
}
