import Tensors

/// Gated DeltaNet: a recurrence by the gated delta rule after a short convolution, whose outputs are normalised and gated.
///
/// Source: Yang, Kautz and Hatamizadeh, Gated Delta Networks (2024), as Qwen3-Next and Qwen 3.5 have it.
public struct DeltaFacts: Codable, Hashable, Sendable {
  public var keyHeadCount: Int
  /// As many consecutive value heads share a key head.
  public var valueHeadCount: Int
  public var keySize: Int
  public var valueSize: Int
  /// Positions that the convolution sees.
  public var taps: Int
  /// Whether q, k, v and the gate are one matrix, key head by key head.
  public var isFused: Bool
  /// Whether retentions and rates are one matrix, key head by key head.
  public var fusesRates: Bool
  /// Whether the last layer reads the value heads in llama.cpp's order: the first of every key head, then the second.
  public var tilesOutput: Bool

  /// Channels of queries, and of keys.
  public var keyWidth: Int { keyHeadCount * keySize }
  /// Channels of values.
  public var valueWidth: Int { valueHeadCount * valueSize }
  /// Channels that are convolved: queries, keys and values.
  public var mixedWidth: Int { 2 * keyWidth + valueWidth }

  /// Value heads by the key heads that they share.
  package var tiling: HeadTiling {
    HeadTiling(groups: keyHeadCount, heads: valueHeadCount / keyHeadCount)
  }

  /// Values of the recurrence's state of a sequence.
  public var recurrentValues: Int { valueHeadCount * keySize * valueSize }

  /// The layers and matrices that read a block's inputs, with their rows.
  var inputs: [(part: Part, rows: Int)] {
    let projections: [(Part, Int)] =
      isFused
      ? [(.fusedDelta, mixedWidth + valueWidth)]
      : [(.deltaInputs, mixedWidth), (.deltaGate, valueWidth)]
    let rates: [(Part, Int)] =
      fusesRates
      ? [(.deltaRates, 2 * valueHeadCount)]
      : [(.deltaBeta, valueHeadCount), (.deltaAlpha, valueHeadCount)]
    return projections + rates
  }

  /// The parts that read a block's inputs, in the order in which their outputs lie side by side.
  package var inputParts: [Part] { inputs.map(\.part) }

  /// Where the one matrix gives queries, keys, values and gates, of each key head after the other.
  package var fusedColumns:
    (queries: [Range<Int>], keys: [Range<Int>], values: [Range<Int>], gates: [Range<Int>])
  {
    let shared = tiling.heads * valueSize
    let width = 2 * (keySize + shared)
    func ranges(_ start: Int, _ count: Int) -> [Range<Int>] {
      (0..<keyHeadCount).map { $0 * width + start..<$0 * width + start + count }
    }
    return (
      ranges(0, keySize), ranges(keySize, keySize), ranges(2 * keySize, shared),
      ranges(2 * keySize + shared, shared)
    )
  }

  /// How llama.cpp orders the rows of a part where value heads that share a key head stand apart in its files.
  func ggufOrder(of part: Part) -> RowOrder {
    guard tiling.heads > 1 else { return .plain }
    return switch part {
    case .deltaInputs, .deltaConvolution: .tiledHeads(first: 2 * keyWidth, tiling: tiling)
    case .deltaGate, .deltaBeta, .deltaAlpha, .deltaStep, .deltaDecay:
      .tiledHeads(first: 0, tiling: tiling)
    default: .plain
    }
  }
}
