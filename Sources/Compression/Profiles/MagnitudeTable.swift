import Tensors

/// How many weights of a layer have which magnitude, in steps of 1/128 octave.
///
/// A step is what the upper 16 bits of a single-precision magnitude tell apart, so for BF16 weights
/// each step is one value.
public struct MagnitudeTable: Hashable, Sendable {
  /// Steps that single precision has: all finite magnitudes and infinity.
  static let steps = 1 << 15

  /// Step of the first count.
  private let first: Int
  private let counts: [UInt32]

  /// Takes counts of all ``steps`` and keeps those between the first and the last that is not 0.
  init(counts all: [UInt32]) {
    first = all.firstIndex { $0 > 0 } ?? 0
    let last = all.lastIndex { $0 > 0 } ?? 0
    counts = Array(all[first...max(first, last)])
  }

  /// Weights that are zero, or smaller than any normal number.
  var zeros: Int { first == 0 ? Int(counts[0]) : 0 }

  /// The step that a weight falls into.
  static func step(of weight: Float) -> Int {
    Int((weight.bitPattern & 0x7fff_ffff) >> 16)
  }

  /// The step that holds the weight of the given rank by magnitude, from 0, and how many weights lie
  /// in the steps below it and in it.
  func place(ofRank rank: Int) -> (step: Int, below: Int, inside: Int) {
    var below = 0
    for (index, count) in counts.enumerated() {
      if below + Int(count) > rank { return (first + index, below, Int(count)) }
      below += Int(count)
    }
    return (first + counts.count, below, 0)
  }
}
