import Compression
import Glibc
import Tensors
import Work

/// A layer with Gaussian noise of a known size added to its weights.
///
/// The KLD that it causes, over the square of the noise's relative size, is how much the layer's errors weigh: for
/// architectures that gradients cannot be taken through (HIGGS, arXiv 2411.17525).
public struct NoisyWeights: Sendable {
  /// Root of the noise's energy over that of the weights: small enough that KLD grows with its square, large enough to be
  /// told from rounding.
  public static let relativeSize = 0.15

  /// Sum of the squares of the weights.
  public let energy: Double
  /// Energy of the difference that 16-bit weights really make, over the energy of the weights.
  public let relativeEnergy: Double
  /// The weights with noise, in 16 bits.
  public let weights: LayerWeights

  /// - Parameters:
  ///   - matrix: the layer's weights.
  ///   - shape: the layer; its name seeds the noise.
  ///   - size: ``relativeSize``, or another.
  ///   - pace: of reading the layer twice, to measure it and to add noise.
  /// - Throws: ``WorkFailure`` when the pace ends it.
  public init(
    of matrix: LayerWeights, shape: LayerShape, size: Double = NoisyWeights.relativeSize,
    pace: Pace = .unwatched
  ) throws(WorkFailure) {
    let slices = stride(from: 0, to: shape.rows, by: max(1, (1 << 18) / shape.columns)).map {
      $0..<min(shape.rows, $0 + max(1, (1 << 18) / shape.columns))
    }
    var energy = 0.0
    for (rows, pace) in pace.part(0, of: 2).parts(slices) {
      energy += matrix.decoded(rows: rows).energies(columns: 0..<shape.columns).reduce(0, +)
      try pace.tick(1)
    }
    let deviation = size * (energy / Double(max(shape.rows * shape.columns, 1))).squareRoot()
    var random = SplitMix64(seed: shape.name)
    var bits: [UInt16] = []
    bits.reserveCapacity(shape.rows * shape.columns)
    var difference = 0.0
    for (rows, pace) in pace.part(1, of: 2).parts(slices) {
      let before = matrix.decoded(rows: rows).values
      let rounded = shape.storageType.rounded(
        Self.noisy(before, deviation: deviation, from: &random))
      difference += zip(shape.storageType.widened(rounded), before).reduce(0.0) {
        $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1)
      }
      bits += rounded
      try pace.tick(1)
    }
    self.energy = energy
    relativeEnergy = energy > 0 ? difference / energy : 0
    weights = .dense(
      bits: bits, type: shape.storageType, rows: shape.rows, columns: shape.columns)
  }

  private static func noisy(
    _ weights: [Float], deviation: Double, from random: inout SplitMix64
  ) -> [Float] {
    var noisy = weights
    for index in stride(from: 0, to: noisy.count, by: 2) {
      // Box and Muller: two normal numbers from two uniform ones.
      let radius = deviation * (-2 * log(1 - Double.random(in: 0..<1, using: &random))).squareRoot()
      let angle = 2 * Double.pi * Double.random(in: 0..<1, using: &random)
      noisy[index] += Float(radius * cos(angle))
      if index + 1 < noisy.count { noisy[index + 1] += Float(radius * sin(angle)) }
    }
    return noisy
  }
}

extension LayerFisher {
  /// What noise tells of a layer: the KLD of errors by their energy, wherever they are.
  ///
  /// - Parameters:
  ///   - divergence: The KLD that was measured with noise, in nats a token.
  ///   - relativeEnergy: Of the noise.
  ///   - energy: Sum of the squares of the layer's weights.
  ///   - tokens: That it was measured on.
  ///   - rows: Output channels.
  ///   - columns: Input channels.
  public init(
    noiseDivergence divergence: Double, relativeEnergy: Double, energy: Double, tokens: Int,
    rows: Int, columns: Int
  ) {
    let noise = relativeEnergy * energy
    let trace =
      noise > 0 ? 2 * Double(rows) * Double(columns) * max(divergence, 0) / noise : 0
    self.init(
      tokens: tokens, inputs: Array(repeating: Float(trace / Double(columns)), count: columns),
      outputs: Array(repeating: Float(trace / Double(rows)), count: rows), trace: trace)
  }
}
