import Checkpoints
import Foundation
import Sessions

/// A model that can be opened from the start screen.
struct StartEntry: Hashable, Sendable {
  /// Under which heading it stands.
  enum Group: Int, CaseIterable, Hashable, Sendable {
    case recent, folder, huggingFace, ollama, llamaCpp, lmStudio, sample

    var title: String {
      switch self {
      case .recent: "Recent"
      case .folder: "In the folder"
      case .huggingFace: "Hugging Face cache"
      case .ollama: "Ollama"
      case .llamaCpp: "llama.cpp"
      case .lmStudio: "LM Studio"
      case .sample: "Sample"
      }
    }

    init(_ home: FoundModel.Home) {
      self =
        switch home {
        case .folder: .folder
        case .huggingFace: .huggingFace
        case .ollama: .ollama
        case .llamaCpp: .llamaCpp
        case .lmStudio: .lmStudio
        case .sample: .sample
        }
    }
  }

  let group: Group
  let name: String
  /// What opens it.
  let path: String
  /// Of its weights; nil where that is not known.
  var bytes: Int?
  /// The file of the plan that it was left with, which its session goes on with.
  var planPath: String?
  /// What else is worth saying of it, such as when it was open.
  var note = ""

  init(
    group: Group, name: String, path: String, bytes: Int? = nil, planPath: String? = nil,
    note: String = ""
  ) {
    self.group = group
    self.name = name
    self.path = path
    self.bytes = bytes
    self.planPath = planPath
    self.note = note
  }

  /// A model that was open, as its row says it.
  init(_ recent: RecentModel, in zone: TimeZone) {
    self.init(
      group: .recent, name: recent.model.name, path: recent.model.path,
      bytes: recent.model.tensorBytes, planPath: recent.plan?.file,
      note: DateText.minute(recent.opened, in: zone))
  }

  init(_ model: FoundModel) {
    self.init(
      group: Group(model.home), name: model.name, path: model.path, bytes: model.bytes,
      note: model.home == .ollama ? "" : model.path)
  }
}

/// What the start screen lists.
struct StartState: Hashable, Sendable {
  enum Row: Hashable, Sendable {
    case heading(StartEntry.Group)
    /// By its place among the entries.
    case entry(Int)
  }

  /// A folder whose models stand first; nil for none.
  var folder: String?
  /// In the order of groups; in a group as they were found.
  private(set) var entries: [StartEntry] = []
  private(set) var rows: [Row] = []
  var isLooking = false
  /// The entry under the cursor.
  private(set) var cursor = 0

  var chosen: StartEntry? { entries.indices.contains(cursor) ? entries[cursor] : nil }
  /// The row under the cursor.
  var cursorRow: Int { rows.firstIndex(of: .entry(cursor)) ?? 0 }

  mutating func moveCursor(by distance: Int) {
    cursor = max(0, min(cursor + distance, entries.count - 1))
  }

  /// Begins a search: what was found before is found again.
  mutating func begin() {
    (entries, rows, cursor, isLooking) = ([], [], 0, true)
  }

  /// Adds entries; the cursor stays at its model, unless it is still at the first.
  mutating func add(_ more: [StartEntry]) {
    let before = cursor == 0 ? nil : chosen
    let all = entries + more.filter { !entries.contains($0) }
    entries = StartEntry.Group.allCases.flatMap { group in all.filter { $0.group == group } }
    rows = []
    for (place, entry) in entries.enumerated() {
      if place == 0 || entries[place - 1].group != entry.group {
        rows.append(.heading(entry.group))
      }
      rows.append(.entry(place))
    }
    cursor = before.flatMap { entries.firstIndex(of: $0) } ?? 0
  }
}
