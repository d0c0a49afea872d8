import Tensors

/// What the reference's head reads where a text is scored, from which its logits are computed again.
///
/// Kept are scored tokens x hidden size values, some hundred times less than the logits. With them, every further plan
/// that is measured on the text costs one model's way through it and the head.
public struct ReferenceStates: Sendable {
  /// The text.
  public let windows: TokenWindows
  /// For each window, scored positions x hidden size.
  private var states: [Matrix] = []

  init(_ windows: TokenWindows) { self.windows = windows }

  /// Whether all windows have been read.
  var isComplete: Bool { states.count == windows.count }

  /// Bytes that they take.
  public var byteCount: Int {
    states.reduce(0) { $0 + $1.values.count * MemoryLayout<Float>.size }
  }

  /// What the head reads at some scored positions of a window.
  subscript(window: Int, positions: Range<Int>) -> Matrix {
    let first = windows.scored.lowerBound
    return states[window].rows(positions.lowerBound - first..<positions.upperBound - first)
  }

  /// Adds what the head reads at the scored positions of the next window.
  mutating func append(_ rows: Matrix) { states.append(rows) }
}
