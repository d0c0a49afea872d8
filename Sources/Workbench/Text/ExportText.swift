import Checkpoints
import Compression
import Engine
import Export
import Terminal

/// What the export overlay says, line by line.
struct ExportText {
  /// A line of the list: what is named, and what is said of it.
  struct Line: Hashable {
    var name: String
    /// The nearest scheme, or the bytes.
    var figure = ""
    var text = ""
  }

  private let state: AppState
  private var form: ExportForm { state.export }

  init(_ state: AppState) { self.state = state }

  /// Where it goes.
  var path: String { form.path(for: state.model?.description.name ?? "") }

  /// Where it goes, and whether that takes the place of something.
  var destination: String {
    form.replaces ? "\(path)  (replaces what is there)" : path
  }

  /// The line above the list, and how it is meant.
  var heading: (text: String, role: ThemeRole) {
    guard let preview = form.preview else { return ("…", .dim) }
    if !preview.refusals.isEmpty {
      let count = preview.refusals.count
      return (
        "\(form.choice.name) cannot hold \(count) \(count == 1 ? "layer" : "layers"); "
          + "n gives the nearest that it can", .error
      )
    }
    let count = preview.files.count
    let least = form.choice.format == .report ? "at least " : ""
    return (
      "\(count) \(count == 1 ? "file" : "files"), \(least)\(Figures.totalBytes(preview.bytes))",
      .strong
    )
  }

  /// Layers that the target cannot hold, or else files.
  var list: [Line] {
    guard let preview = form.preview else { return [] }
    if !preview.refusals.isEmpty {
      return preview.refusals.map {
        Line(name: $0.layer, figure: $0.nearest?.summary ?? "keep", text: $0.reason)
      }
    }
    return preview.files.map { Line(name: $0.name, figure: String($0.bytes)) }
  }

  /// What stands in the way, what came of it, or what is to be known before it; nil while it runs.
  var outcome: (text: String, role: ThemeRole)? {
    if let written = form.written {
      return ("\(Figures.totalBytes(written.bytes)) written", .ok)
    }
    if let job = form.job.flatMap({ state.jobs[$0] }) {
      switch job.outcome {
      case .failed(let reason): return (reason, .error)
      case .cancelled: return ("cancelled; Enter goes on where it was", .warn)
      case .finished: break
      case nil: return nil
      }
    }
    if let obstacle = form.preview?.obstacle { return (obstacle, .error) }
    let notes = form.preview?.notes ?? []
    return notes.isEmpty ? nil : (notes.joined(separator: "; "), .warn)
  }

  /// The export under way.
  var running: Job? { form.job.flatMap { state.jobs[$0] }.flatMap { $0.isRunning ? $0 : nil } }
}
