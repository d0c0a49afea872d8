import Tensors
import Work

/// One window that a model has read, and the logits after each of its tokens.
public struct LogitsPass: Sendable {
  /// What the model read.
  public let tokens: [Int]
  private let decoder: Decoder
  private let states: Matrix

  /// Reads a window.
  ///
  /// - Parameters:
  ///   - windows: The first of them is read.
  ///   - decoder: The model.
  ///   - cacheType: What keys and values are held as.
  ///   - pace: Of reading.
  /// - Throws: ``InferenceError`` for ids outside the vocabulary.
  public init(
    firstOf windows: TokenWindows, decoder: Decoder, cacheType: CacheType = .f32,
    pace: Pace = .unwatched
  ) throws(InferenceError) {
    tokens = windows.inputs(0..<windows.length, ofWindow: 0)
    self.decoder = decoder
    states = try decoder.lastStates(of: tokens, cacheType: cacheType, pace: pace)
  }

  /// The window in parts whose logits are computed at once.
  public var parts: [Range<Int>] {
    let length = decoder.positionsAtHead
    return stride(from: 0, to: tokens.count, by: length).map { $0..<min($0 + length, tokens.count) }
  }

  /// The logits after some tokens: a row of `vocabularySize` for each.
  ///
  /// - Throws: ``InferenceError/notFinite(place:)`` when they are no numbers.
  public func logits(at positions: Range<Int>) throws(InferenceError) -> Matrix {
    let logits = decoder.logits(of: decoder.headInputs(states.rows(positions)))
    if let row = logits.firstNonFiniteRow {
      throw .notFinite(place: "after \(positions.lowerBound + row + 1) tokens")
    }
    return logits
  }
}
