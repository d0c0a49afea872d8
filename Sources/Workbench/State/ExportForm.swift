import Engine
import Export

/// What can be exported: a model for a target, a recipe that makes it elsewhere, or a report to read.
struct ExportChoice: Hashable, Sendable {
  let target: ExportTarget
  let format: ExportFormat

  /// In the order that the overlay shows them.
  static let all =
    ExportTarget.allCases.map { ExportChoice(target: $0, format: $0.format) }
    + [.recipe, .report].map { ExportChoice(target: .vllm, format: $0) }

  /// What people choose by.
  var name: String { format.holdsTensors ? target.rawValue : format.rawValue }

  /// What it is, in a line.
  var summary: String {
    switch format {
    case .report: "one HTML page, the same as Markdown and JSON"
    case .recipe: "what makes llm-compressor do the same for vLLM, on a larger machine"
    case .compressedTensors, .gguf:
      "\(TargetLimits.of(target).name), loads \(format.rawValue)"
    }
  }

  /// What a new path ends with.
  fileprivate var suffix: String { format == .gguf ? "-vise.gguf" : "-\(name)" }
}

/// What the export overlay asks for, and what the engine says to it.
struct ExportForm: Hashable, Sendable {
  /// Index of the choice among ``ExportChoice/all``.
  private(set) var selected = 0
  /// Whether somebody chose; before, the first target that can hold the plan is offered.
  private(set) var isChosen = false
  /// Where to, as it was typed; nil offers a name made of the model's.
  var path: String?
  var replaces = false
  /// What would be written; nil until the engine has said it.
  private(set) var preview: ExportPreview?
  /// Whether the export begins as soon as the engine has said it.
  var startsOncePreviewed = false
  /// Lines that the list is scrolled down.
  var top = 0
  /// The export that was begun last.
  private(set) var job: JobID?
  /// What it wrote, once it has.
  private(set) var written: ExportPreview?

  var choice: ExportChoice { ExportChoice.all[selected] }

  /// Selects a choice; a path that was typed is for the one before.
  mutating func select(_ index: Int) {
    let count = ExportChoice.all.count
    selected = (index + count) % count
    (path, replaces, isChosen) = (nil, false, true)
    expectPreview()
  }

  /// Offers a choice that nobody made.
  mutating func offer(_ index: Int) { if !isChosen { selected = index } }

  /// The path of a model's export.
  func path(for model: String) -> String { path ?? model + choice.suffix }

  /// Forgets what was true of another request.
  mutating func expectPreview() {
    (preview, top, written, startsOncePreviewed) = (nil, 0, nil, false)
  }

  mutating func accept(_ preview: ExportPreview) {
    (self.preview, startsOncePreviewed) = (preview, false)
  }

  mutating func begin(_ job: JobID) { (self.job, written) = (job, nil) }

  mutating func accept(written: ExportPreview, of job: JobID) {
    if job == self.job { self.written = written }
  }
}
