import Checkpoints
import Tensors
import Work

extension Decoder {
  /// Finds the thresholds below which a share of what o_proj and down_proj read lies.
  ///
  /// Layers of experts read all: each reads too few tokens of a short text.
  /// - Parameters:
  ///   - share: Above 0 and below 1.
  ///   - tokens: A text, read from position 0.
  ///   - pace: Of the whole work.
  /// - Returns: What makes the model count these inputs as zero, once it is set.
  /// - Throws: ``InferenceError`` for ids outside the vocabulary and beyond the context, and when the work is to end.
  public func inputPruning(
    share: Double, on tokens: [Int], pace: Pace = .unwatched
  ) throws(InferenceError) -> InputPruning {
    guard !tokens.isEmpty else { throw .emptyInput }
    try check(tokens)
    var thresholds: [InputSite: Float] = [:]
    var hidden = embedded(tokens)
    let positions = positions(tokens.indices, ofLength: tokens.count)
    for (block, pace) in pace.parts(runningBlocks) {
      var magnitudes: [InputSite: Magnitudes] = [:]
      var cache = makeBlockCache(block)
      let length = StepLength.positions(forWeights: weights(ofBlock: block))
      for start in stride(from: 0, to: hidden.rows, by: length) {
        let rows = start..<min(start + length, hidden.rows)
        var part = hidden.rows(rows)
        run(block: block, on: &part, positions.part(rows), cache: &cache) { inputs in
          switch inputs.site {
          case .attentionOutput, .feedForwardOutput:
            magnitudes[inputs.site, default: Magnitudes()].add(inputs.vectors.values)
          default: break
          }
        }
        hidden.replaceRows(from: start, by: part)
        try pace.advance(to: Double(rows.upperBound) / Double(hidden.rows))
      }
      for (site, found) in magnitudes { thresholds[site] = found.quantile(share) }
    }
    return InputPruning(of: self, share: share, thresholds: thresholds)
  }
}

/// How often magnitudes occur, by the leading 16 bits of a float: each within 1 part in 128.
private struct Magnitudes {
  private var counts = [Int](repeating: 0, count: 1 << 15)
  private var all = 0

  mutating func add(_ values: [Float]) {
    for value in values { counts[Int(value.bitPattern >> 16 & 0x7fff)] += 1 }
    all += values.count
  }

  /// The least bound below which at least this share lies.
  func quantile(_ share: Double) -> Float {
    var below = 0
    for (place, count) in counts.enumerated() {
      below += count
      if Double(below) >= share * Double(all) {
        return Float(bitPattern: UInt32(place + 1) << 16)
      }
    }
    return .infinity
  }
}
