/// What a recurrence or a short convolution keeps of the positions that it has read, with a few earlier states that it can go back to.
struct RecurrentState: Sendable {
  private struct Snapshot: Sendable {
    let count: Int
    let values: [Float]
    let window: [Float]
  }

  /// The recurrence's; none of a convolution alone.
  var values: [Float]
  /// The rows that the convolution still sees.
  var window: [Float]
  /// Positions that it has read.
  private(set) var count = 0
  private var snapshots: [Snapshot] = []
  /// Whether states are kept to go back to.
  let keepsSnapshots: Bool

  /// Snapshots that are kept, the latest ones.
  private static let snapshotLimit = 4

  /// A state of so many numbers, all of them zero, before the first position.
  init(values: Int, window: Int, keepsSnapshots: Bool) {
    self.values = Array(repeating: 0, count: values)
    self.window = Array(repeating: 0, count: window)
    self.keepsSnapshots = keepsSnapshots
  }

  var byteCount: Int {
    MemoryLayout<Float>.size * (1 + snapshots.count) * (values.count + window.count)
  }

  mutating func advance(by positions: Int) { count += positions }

  /// Keeps the state as it is now.
  mutating func keep() {
    guard keepsSnapshots else { return }
    snapshots.append(Snapshot(count: count, values: values, window: window))
    if snapshots.count > Self.snapshotLimit { snapshots.removeFirst() }
  }

  /// The most positions up to `length` that it can go back to; all where it has read fewer: a block that is left out reads nothing.
  func reach(_ length: Int) -> Int {
    guard count > length else { return length }
    return snapshots.last { $0.count <= length }?.count ?? 0
  }

  /// Goes back to the state after `length` positions, one that ``reach(_:)`` gives.
  mutating func truncate(to length: Int) {
    guard count > length else { return }
    snapshots.removeAll { $0.count > length }
    if let last = snapshots.last, last.count == length {
      (values, window, count) = (last.values, last.window, length)
    } else {
      values = Array(repeating: 0, count: values.count)
      window = Array(repeating: 0, count: window.count)
      count = 0
    }
  }
}
