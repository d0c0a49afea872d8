/// A gated short convolution: two of three projections are multiplied and convolved, and the third gates what comes of it.
///
/// Source: Liquid AI, LFM2 (2025), as its class in transformers has it.
public struct ConvolutionFacts: Codable, Hashable, Sendable {
  /// Values of each of the three projections.
  public var channels: Int
  /// Positions that the convolution sees.
  public var taps: Int

  /// Where the first layer gives what is multiplied with values, what gates the outputs, and values.
  package var gates: Range<Int> { 0..<channels }
  package var outputGates: Range<Int> { channels..<2 * channels }
  package var values: Range<Int> { 2 * channels..<3 * channels }
}
