import Compression
import Glibc
import Tensors

/// A layer with Gaussian noise of a known size added to its weights, made in slices.
///
/// The KLD that it causes, over the square of the noise's relative size, is how much the layer's errors weigh: for
/// architectures that gradients cannot be taken through (HIGGS, arXiv 2411.17525).
public struct NoisyWeights: Sendable {
  /// Root of the noise's energy over that of the weights: small enough that KLD grows with its square, large enough to be
  /// told from rounding.
  public static let relativeSize = 0.15

  private let matrix: LayerWeights
  private let shape: LayerShape
  private let size: Double
  private var random: SplitMix64
  /// Rows whose squares are summed, and then rows that have noise.
  private var (summed, done) = (0, 0)
  private var bits: [UInt16] = []
  private var difference = 0.0

  /// Sum of the squares of the weights, once ``isFinished``.
  public private(set) var energy = 0.0

  /// - Parameters:
  ///   - matrix: the layer's weights.
  ///   - shape: the layer; its name seeds the noise.
  ///   - size: ``relativeSize``, or another.
  public init(
    of matrix: LayerWeights, shape: LayerShape, size: Double = NoisyWeights.relativeSize
  ) {
    self.matrix = matrix
    self.shape = shape
    self.size = size
    random = SplitMix64(seed: shape.name)
    bits.reserveCapacity(shape.rows * shape.columns)
  }

  public var isFinished: Bool { done == shape.rows }

  /// Energy of the difference that 16-bit weights really make, over the energy of the weights.
  public var relativeEnergy: Double { energy > 0 ? difference / energy : 0 }

  /// The weights with noise, in 16 bits; nil unless ``isFinished``.
  public var weights: LayerWeights? {
    guard isFinished else { return nil }
    return .dense(bits: bits, type: shape.storageType, rows: shape.rows, columns: shape.columns)
  }

  /// Reads at most `rows` more rows, first to measure them, then to add noise.
  public mutating func step(rows: Int) {
    if summed < shape.rows {
      let range = summed..<min(shape.rows, summed + max(1, rows))
      energy += matrix.decoded(rows: range).energies(columns: 0..<shape.columns).reduce(0, +)
      summed = range.upperBound
    } else {
      addNoise(to: done..<min(shape.rows, done + max(1, rows)))
    }
  }

  private mutating func addNoise(to rows: Range<Int>) {
    let before = matrix.decoded(rows: rows)
    let deviation = size * (energy / Double(max(shape.rows * shape.columns, 1))).squareRoot()
    var noisy = before.values
    for index in stride(from: 0, to: noisy.count, by: 2) {
      // Box and Muller: two normal numbers from two uniform ones.
      let radius = deviation * (-2 * log(1 - Double.random(in: 0..<1, using: &random))).squareRoot()
      let angle = 2 * Double.pi * Double.random(in: 0..<1, using: &random)
      noisy[index] += Float(radius * cos(angle))
      if index + 1 < noisy.count { noisy[index + 1] += Float(radius * sin(angle)) }
    }
    let rounded = shape.storageType.rounded(noisy)
    difference += zip(shape.storageType.widened(rounded), before.values).reduce(0.0) {
      $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1)
    }
    bits += rounded
    done = rows.upperBound
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
