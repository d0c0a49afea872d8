import Checkpoints
import Glibc
import Tensors

/// RoPE: position p turns pair i of each head by p * frequency(i), in one or more ways that blocks choose from.
///
/// Computed in single precision as transformers does, so that both round alike. Source: Su et al., RoFormer (2021).
struct RotaryEmbedding: Sendable {
  private struct Way: Sendable {
    /// One for each pair.
    let frequencies: [Float]
    /// Those of sequences longer than a length; nil where it makes no difference.
    let long: (length: Int, frequencies: [Float])?
    let amplitude: Float
    let pairing: Rotation.Pairing

    /// Whether a sequence of so many tokens turns by the frequencies of long ones.
    func isLong(_ length: Int) -> Bool { long.map { length > $0.length } ?? false }
  }

  private let ways: [Way]

  init(_ ropes: [RopeFacts]) {
    ways = ropes.map { rope in
      Way(
        frequencies: Self.frequencies(rope, dividedBy: rope.divisors),
        long: rope.long.map { ($0.length, Self.frequencies(rope, dividedBy: $0.divisors)) },
        amplitude: Float(rope.amplitude),
        pairing: rope.pairing == .halves ? .halves : .neighbours)
    }
  }

  private static func frequencies(
    _ rope: RopeFacts, dividedBy divisors: [Double]
  ) -> [Float] {
    (0..<rope.pairCount).map { pair in
      let frequency = Float(rope.frequency(ofPair: pair))
      return divisors.isEmpty ? frequency : Float(Double(frequency) / divisors[pair])
    }
  }

  /// Whether sequences of two lengths turn alike: LongRoPE tells long ones from others.
  func turnsAlike(lengths first: Int, _ second: Int) -> Bool {
    ways.allSatisfy { way in
      way.isLong(first) == way.isLong(second)
    }
  }

  /// How consecutive positions turn heads, in each way.
  ///
  /// - Parameters:
  ///   - positions: Those to turn.
  ///   - length: Tokens of the whole sequence, as far as it is known; LongRoPE chooses by it.
  /// - Returns: A list for each way, with a rotation for each position.
  func rotations(at positions: Range<Int>, ofLength length: Int) -> [[Rotation]] {
    ways.map { way in
      let isLong = way.isLong(max(length, positions.upperBound))
      let frequencies = isLong ? way.long?.frequencies ?? [] : way.frequencies
      return positions.map { position in
        let angles = frequencies.map { Float(position) * $0 }
        return Rotation(
          cosines: angles.map { cos($0) * way.amplitude },
          sines: angles.map { sin($0) * way.amplitude }, pairing: way.pairing)
      }
    }
  }
}

/// What consecutive positions of a sequence do to queries and keys.
struct Positions: Sendable {
  /// In the sequence.
  let range: Range<Int>
  /// The tokens there, which blocks with embeddings of their own look up.
  var tokens: [Int] = []
  /// For each way to turn, a rotation for each position.
  let rotations: [[Rotation]]

  /// Some of them, counted from the first of these.
  func part(_ rows: Range<Int>) -> Positions {
    let start = range.lowerBound
    return Positions(
      range: start + rows.lowerBound..<start + rows.upperBound,
      tokens: tokens.isEmpty ? [] : Array(tokens[rows]),
      rotations: rotations.map { Array($0[rows]) })
  }

  /// The same places with other tokens, one for each.
  func reading(_ tokens: [Int]) -> Positions {
    var positions = self
    positions.tokens = tokens
    return positions
  }
}
