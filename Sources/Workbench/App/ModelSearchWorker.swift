import Checkpoints
import Dispatch
import FoundationEssentials
import YAML

/// Looks for models away from the screen's thread.
struct ModelSearchWorker: Sendable {
  private let queue = DispatchQueue(label: "vise.models")
  private let recent: @Sendable () -> [StartEntry]
  private let report: @Sendable (ModelsEvent) -> Void

  /// - Parameters:
  ///   - recent: The models that were open lately, read when they are asked for.
  ///   - report: Told what came of it, on a thread of its own.
  init(
    recent: @escaping @Sendable () -> [StartEntry],
    report: @escaping @Sendable (ModelsEvent) -> Void
  ) {
    self.recent = recent
    self.report = report
  }

  func find(folder: String?) {
    let (report, recent) = (report, recent)
    queue.async {
      report(.recent(recent()))
      if let folder {
        report(.found(ModelFinder.models(in: folder).map { StartEntry($0) }))
      }
      let finder = ModelFinder(samples: SettingsPlaces.current().samples)
      finder.find { found in report(.found(found.map { StartEntry($0) })) }
      report(.done)
    }
  }
}
