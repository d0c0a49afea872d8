import Glibc
import Tensors

/// A layer's report from a sample of its rows, in milliseconds whatever the layer's size.
///
/// Sizes are exact, as they need no weights. Errors are Hansen-Hurwitz estimates: rows are drawn
/// with probability proportional to about the error that they carry, so that few of them estimate
/// the layer's error without bias, and their spread gives its confidence band.
public struct LayerPreview: Sendable {
  /// Rows that give a band of some tenths of a dB on most layers.
  public static let defaultRows = 32

  private let trial: LayerTrial
  private let shape: LayerShape
  private let scheme: Scheme
  private let profile: RowProfile

  /// Prepares to preview a layer.
  ///
  /// - Parameters: as of
  ///   ``LayerCompressor/init(matrix:shape:scheme:profile:statistics:factor:scales:pool:)``.
  /// - Throws: ``CompressionError`` when the scheme, the shape or the profile does not fit, or what
  ///   the scheme needs to know of the inputs is missing.
  public init(
    matrix: LayerWeights, shape: LayerShape, scheme: Scheme, profile: RowProfile,
    statistics: InputStatistics? = nil, factor: HessianFactor? = nil,
    scales: ChannelScales = .none
  ) throws(CompressionError) {
    trial = try LayerTrial(
      matrix: matrix, shape: shape, scheme: scheme, profile: profile, statistics: statistics,
      factor: factor, scales: scales)
    self.shape = shape
    self.scheme = scheme
    self.profile = profile
  }

  /// Reports on the layer from `rows` draws.
  ///
  /// The same layer always gives the same sample, and a larger one contains a smaller one.
  ///
  /// - Parameters:
  ///   - rows: draws; at least 2.
  ///   - original: bytes of the layer in the checkpoint.
  /// - Returns: a report whose standing is sampled.
  public func report(rows: Int = defaultRows, original: Int) -> LayerReport {
    let sample = RowSample(sizes: sizes, layer: shape.name, size: max(2, rows))
    let rows = trial.compressed(rows: sample.draws.map(\.row))
    let estimate = SampleEstimate(
      sample: sample, before: rows.before, after: rows.after, profile: profile)
    let size = LayerSize.predicted(for: shape, scheme: scheme, original: original)
    return LayerReport(
      layer: shape.name, scheme: scheme, standing: .sampled(rows: sample.draws.count), size: size,
      bitsPerWeight: 8 * Double(size.total) / Double(shape.rows * shape.columns),
      error: estimate.error, zeroFraction: zeroFraction(estimate), before: profile.weights,
      after: estimate.weightsAfter, difference: estimate.difference,
      worstChannels: worstChannels(
        zip(sample.draws, estimate.comparisons).map { ($0.row, $1) }, columns: shape.columns,
        count: ErrorTally.worstCount),
      missedExperts: trial.missedExperts)
  }

  /// About how much error each row carries, up to a common factor.
  ///
  /// Errors of rounding and of a pattern grow with a row's energy. A threshold takes nearly all of a
  /// row of small weights and little of a row of large ones: as much as if they were normally
  /// distributed. A layer that is pruned and quantized has both kinds of error in equal shares.
  private var sizes: [Double] {
    guard let threshold = trial.threshold else { return profile.energies }
    let magnitude = Double(Float(bitPattern: threshold.bits))
    let pruned = profile.meanMagnitudes.map { prunedEnergy(meanMagnitude: $0, below: magnitude) }
    let total = pruned.reduce(0, +)
    guard total > 0 else { return profile.energies }
    // A small share keeps rows in the draw that are not distributed as supposed.
    let share = scheme.quantization == nil ? 0.001 : 1
    return zip(pruned, profile.energies).map { pruned, energy in
      energy > 0 ? pruned / total + share * energy / profile.energy : 0
    }
  }

  /// Mean of the squares below a magnitude of normally distributed weights.
  private func prunedEnergy(meanMagnitude: Double, below magnitude: Double) -> Double {
    guard meanMagnitude > 0 else { return 0 }
    let deviation = meanMagnitude * (Double.pi / 2).squareRoot()
    let ratio = magnitude / deviation
    let density = ratio * (2 / Double.pi).squareRoot() * exp(-ratio * ratio / 2)
    return deviation * deviation * (erf(ratio / 2.squareRoot()) - density)
  }

  // How many weights a ratio zeroes is known without a sample.
  private func zeroFraction(_ estimate: SampleEstimate) -> Double {
    guard let pattern = scheme.sparsity?.pattern, case .unstructured = pattern else {
      return estimate.zeroFraction
    }
    let zeros = max(
      pattern.zeros(rows: shape.rows, columns: shape.columns), profile.magnitudes.zeros)
    let certain = Double(zeros) / Double(shape.rows * shape.columns)
    return scheme.quantization == nil ? certain : max(certain, estimate.zeroFraction)
  }
}
