import Dispatch
import Fitting
import YAML

/// Reads machines' files and measures this machine away from the screen's thread.
struct MachineWorker: Sendable {
  private let queue = DispatchQueue(label: "vise.machines")
  private let report: @Sendable (MachineEvent) -> Void

  /// - Parameter report: Told what came of it, on a thread of its own.
  init(report: @escaping @Sendable (MachineEvent) -> Void) { self.report = report }

  func measure(readsFiles: Bool) {
    let report = report
    queue.async {
      if readsFiles {
        let (machines, errors) = MachineLibrary.standard().all()
        report(.read(machines, flaw: errors.first?.description))
      }
      report(.measured(MachineProbe.run()))
    }
  }
}
