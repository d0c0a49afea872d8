import Engine
import Sessions

/// Plans that are measured one after another on the same text.
struct MeasuringRun: Hashable, Sendable {
  let textPath: String
  /// Those that are still to be measured, the next first.
  private(set) var waiting: [Snapshot]
  /// What measures one of them now.
  var job: JobID?
  let count: Int

  init(_ plans: [Snapshot], on textPath: String) {
    (self.textPath, waiting, count) = (textPath, plans, plans.count)
  }

  /// Takes the next plan; nil after the last one.
  mutating func next() -> Snapshot? { waiting.isEmpty ? nil : waiting.removeFirst() }

  /// Which of the plans is measured now, from 1.
  var place: Int { count - waiting.count }
}
