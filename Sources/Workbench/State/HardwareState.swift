import Checkpoints
import Compression
import Fitting

/// What the Hardware screen shows and asks for.
struct HardwareState: Hashable, Sendable {
  /// The machine that this runs on; nil until it is measured.
  private(set) var this: Machine?
  /// Those of files; nil until they are read.
  private(set) var others: [Machine]?
  /// Whether a measurement is under way.
  var isMeasuring = false
  /// Whether a job ran when this machine was measured.
  var wasBusy = false
  var request = FitRequest()
  /// Row under the cursor.
  var cursor = 0
  /// Lines of the figures that are scrolled away.
  var scroll = 0

  /// Rows of the list: this machine has one before it is measured.
  var rowCount: Int { 1 + (others?.count ?? 0) }

  /// The machine of a row; nil for this one while it is being measured.
  func machine(_ row: Int) -> Machine? {
    guard row > 0 else { return this }
    guard let others, others.indices.contains(row - 1) else { return nil }
    return others[row - 1]
  }

  mutating func accept(_ event: MachineEvent) {
    switch event {
    case .read(let machines, _): others = machines
    case .measured(let machine): (this, isMeasuring) = (machine, false)
    }
  }
}

extension AppState {
  /// The model under its plan, as the target's files would hold it.
  var servedModel: ServedModel? {
    model.map {
      ServedModel($0.description, schemes: $0.schemes, forecast: $0.forecast)
    }
  }

  /// How a machine serves the model under its plan; nil without a model.
  func fit(on machine: Machine, of model: ServedModel) -> Fit {
    Fit(of: model, on: machine, for: hardware.request, in: ServingEngine(target))
  }
}
