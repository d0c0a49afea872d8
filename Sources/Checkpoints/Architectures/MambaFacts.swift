/// Mamba-2: a recurrence that forgets by a number for each head, after a short convolution, whose outputs are gated and
/// normalised.
///
/// Source: Dao and Gu, Transformers are SSMs (2024), as Granite 4 has it.
public struct MambaFacts: Codable, Hashable, Sendable {
  public var headCount: Int
  /// Values of a head.
  public var headSize: Int
  /// Values of the state for each of these.
  public var stateSize: Int
  /// As many consecutive heads share what they write to and read from their states.
  public var groupCount: Int
  /// Positions that the convolution sees.
  public var taps: Int

  /// Channels of all heads.
  public var width: Int { headCount * headSize }
  /// Channels that are convolved: those of all heads, and those that all groups write with and read with.
  public var mixedWidth: Int { width + 2 * groupCount * stateSize }
  /// Values of the recurrence's state of a sequence.
  public var recurrentValues: Int { width * stateSize }

  /// Where the first layer gives gates, what is convolved, and what steps follow from.
  package var gates: Range<Int> { 0..<width }
  package var mixed: Range<Int> { width..<width + mixedWidth }
  package var steps: Range<Int> { width + mixedWidth..<width + mixedWidth + headCount }
}
