import Glibc
import Tensors

/// A layer's report from a sample of its rows, in milliseconds whatever the layer's size.
///
/// Sizes are exact, as they need no weights. Errors are Hansen-Hurwitz estimates: rows are drawn
/// with probability proportional to their energy, so the mean of the drawn rows' relative errors is
/// an unbiased estimate of the layer's, and their spread gives its confidence band.
public struct LayerPreview: Sendable {
  /// Rows that give a band of some tenths of a dB on most layers.
  public static let defaultRows = 32

  private let compressor: RowCompressor
  private let profile: RowProfile

  /// Prepares to preview a layer.
  ///
  /// - Throws: ``CompressionError`` when the scheme, the shape or the profile does not fit.
  public init(
    matrix: StoredMatrix, shape: LayerShape, scheme: Scheme, profile: RowProfile
  ) throws(CompressionError) {
    try scheme.check(matrix: matrix, shape: shape, profile: profile)
    var threshold: PruningThreshold?
    if scheme.needsThreshold, let pattern = scheme.sparsity?.pattern {
      threshold = .estimated(
        zeroing: pattern.zeros(rows: shape.rows, columns: shape.columns), profile: profile,
        shape: shape)
    }
    compressor = RowCompressor(
      matrix: matrix, shape: shape, scheme: scheme, threshold: threshold)
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
    let (shape, scheme) = (compressor.shape, compressor.scheme)
    let sample = RowSample(profile: profile, layer: shape.name, size: max(2, rows))
    let compressed = compressor.compressed(rows: sample.draws.map(\.row))
    let estimate = SampleEstimate(sample: sample, rows: compressed, profile: profile)
    let size = LayerSize.predicted(for: shape, scheme: scheme, original: original)
    return LayerReport(
      layer: shape.name, scheme: scheme, standing: .sampled(rows: sample.draws.count), size: size,
      bitsPerWeight: 8 * Double(size.total) / Double(shape.rows * shape.columns),
      error: estimate.error, zeroFraction: estimate.zeroFraction, before: profile.weights,
      after: estimate.after, difference: estimate.difference,
      worstChannels: worstChannels(
        zip(sample.draws, estimate.comparisons).map { ($0.row, $1) }, columns: shape.columns,
        count: ErrorTally.worstCount))
  }
}
