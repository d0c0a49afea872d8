import Checkpoints
import Compression
import Engine
import Export

/// Where a person was on the screens.
struct WindowMemory: Codable, Hashable, Sendable {
  var screen: AppScreen
  var pane: Pane
  var lowerPane: Pane
  var tab: InspectorState.Tab
  var isLogarithmic: Bool
  var order: SortOrder
  var filter: String
  var columns: [TableColumn]?
  var folded: [Int]
  /// The layer under the cursor by its name, or else the block by its number.
  var layer: String?
  var block: Int?
  var top: Int
  /// The row where a range began.
  var anchor: Int?
  var snapshot: Int
  var evaluation: Int
  var evaluationText: String
  var calibrationText: String
  var commands: [String]
  /// Whether the answers are to the plan as it is.
  var isAnswered: Bool
  var line: Line?

  /// A field that was being typed into.
  struct Line: Codable, Hashable, Sendable {
    var purpose: InputLine.Purpose
    var editor: LineEditor
  }
}

/// What the Budget screen was asked for.
struct BudgetMemory: Codable, Hashable, Sendable {
  var target: BudgetTarget?
  var pinned: [String]
  var fusesLayers: Bool
  var isExact: Bool
  var list: BudgetState.List
}

/// What a session leaves beside its plan.
struct SessionMemory: Hashable, Sendable {
  var marks: [String] = []
  var window: WindowMemory?
  var conversation: Conversation?
  var budget: BudgetMemory?
}

/// All of the state that outlives the program, as values that are copied at no cost; it is put into words away from the
/// screen's thread.
struct SessionImage: Hashable, Sendable {
  let fingerprint: String
  let layers: [LayerDescription]
  var history: PlanHistory
  var target: ExportTarget?
  var bytes: Int
  var bitsPerWeight: Double
  /// Indices of marked layers.
  var marks: Set<Int>
  var window: WindowMemory
  var conversation: Conversation
  var budget: BudgetMemory

  /// Whether there is more to go on with than a place on the screen.
  var hasWork: Bool {
    history.hasVersions || !marks.isEmpty || conversation.isBegun
  }
}

/// A session that can be gone on with.
struct FoundSession: Hashable, Sendable {
  let history: PlanHistory
  let target: ExportTarget?
  let bytes: Int
  let hasWork: Bool
  let memory: SessionMemory
  /// Since it was last written, in seconds.
  let age: Double
}

/// What becomes of an earlier session when its model is opened.
public enum SessionChoice: Hashable, Sendable {
  /// A question decides.
  case ask
  /// It goes on.
  case resume
  /// A new one begins; the earlier one is kept.
  case fresh
}

/// How far the open model's session is kept.
struct SessionState: Hashable, Sendable {
  enum Phase: Hashable, Sendable {
    /// Nothing is kept: there is no model, or no place to keep it.
    case unkept
    /// What was kept before is still to be read.
    case awaited
    /// A question asks whether to go on with what was found.
    case offered(FoundSession)
    case kept
  }

  var phase = Phase.unkept
  var choice = SessionChoice.ask
  /// Whether the model was opened with a plan, which then is not asked about.
  var hasOwnPlan = false
  /// What was last given to be written, or what a new session begins with.
  var written: SessionImage?
  /// Whether the last state could not be written.
  var isBehind = false
  /// What is put back once the engine has described the model that the plan prunes to.
  var pending: SessionMemory?
  /// The budget that is solved for again once sensitivity is known.
  var pendingBudget: BudgetMemory?
  /// Where sensitivity is kept; nil for nowhere.
  var sensitivityPath: String?
}
