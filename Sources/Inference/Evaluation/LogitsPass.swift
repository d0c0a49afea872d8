import Tensors

/// One window's way through a model, and the logits after each of its tokens, in steps.
public struct LogitsPass: Sendable {
  /// What a step brought.
  public enum Step: Sendable {
    /// The model has read on; there are no logits yet.
    case read
    /// The logits after the next tokens: a row of `vocabularySize` for each.
    case logits(Matrix)
    case ended
  }

  /// What the model reads.
  public let tokens: [Int]
  private var reader: WindowReader
  /// The first token whose logits are not computed.
  private var position = 0

  /// - Parameters:
  ///   - windows: The first of them is read.
  ///   - decoder: The model that every step gets.
  /// - Throws: ``InferenceError`` for ids outside the vocabulary.
  public init(firstOf windows: TokenWindows, decoder: Decoder) throws(InferenceError) {
    tokens = windows.inputs(0..<windows.length, ofWindow: 0)
    reader = try WindowReader(tokens, decoder: decoder)
  }

  /// Share of the work that is done: 0...1.
  public var fractionCompleted: Double {
    (reader.fractionCompleted + Double(position) / Double(tokens.count)) / 2
  }

  /// Tokens whose logits are computed.
  public var completedTokens: Int { position }

  /// Takes some positions through one block, or computes the logits of some tokens, in order.
  ///
  /// - Throws: ``InferenceError/notFinite(place:)`` when they are no numbers.
  public mutating func step(with decoder: Decoder) throws(InferenceError) -> Step {
    if reader.step(with: decoder) { return .read }
    guard position < tokens.count else { return .ended }
    let positions = position..<min(position + decoder.positionsAtHead, tokens.count)
    position = positions.upperBound
    let logits = decoder.logits(of: decoder.headInputs(reader.hidden.rows(positions)))
    if let row = logits.firstNonFiniteRow {
      throw .notFinite(place: "after \(positions.lowerBound + row + 1) tokens")
    }
    return .logits(logits)
  }
}
