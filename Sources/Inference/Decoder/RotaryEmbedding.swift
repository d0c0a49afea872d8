import Checkpoints
import Glibc
import Tensors

/// RoPE: position p turns pair i of each head by p * frequency(i).
///
/// Computed in single precision as transformers does, so that both round alike. Source: Su et al., RoFormer
/// (2021); the stretched frequencies follow Llama 3's rule.
struct RotaryEmbedding: Sendable {
  /// One for each pair of a head.
  let frequencies: [Float]

  init(headSize: Int, theta: Double, scaling: RopeScaling?) {
    frequencies = (0..<headSize / 2).map { pair in
      let frequency = 1 / Float(pow(theta, Double(2 * pair) / Double(headSize)))
      return scaling.map { Self.stretched(frequency, by: $0) } ?? frequency
    }
  }

  /// The rotation of position `position`.
  func rotation(at position: Int) -> Rotation {
    let angles = frequencies.map { Float(position) * $0 }
    return Rotation(cosines: angles.map { cos($0) }, sines: angles.map { sin($0) })
  }

  /// Slow waves are stretched by the factor, fast ones stay, those between are blended.
  private static func stretched(_ frequency: Float, by scaling: RopeScaling) -> Float {
    let length = Double(scaling.originalContextLength)
    let wavelength = 2 * Double.pi / Double(frequency)
    let turns = length / wavelength
    if turns < scaling.lowFrequencyFactor { return frequency / Float(scaling.factor) }
    if turns > scaling.highFrequencyFactor { return frequency }
    let blend =
      (turns - scaling.lowFrequencyFactor)
      / (scaling.highFrequencyFactor - scaling.lowFrequencyFactor)
    return Float((1 - blend) * Double(frequency) / scaling.factor + blend * Double(frequency))
  }
}
