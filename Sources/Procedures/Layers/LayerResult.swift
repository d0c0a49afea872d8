import Compression
import Tensors
import Work

/// What compressing one layer gave: its weights, and the exact report on them.
public struct LayerResult: Sendable {
  public let weights: LayerWeights
  public let report: LayerReport
  /// The scales that its weights have, and the layers that share them.
  public let fold: ChannelFold
  /// Whatever the result hangs on beside layer and scheme, as whoever keeps it tells that apart.
  public var context: Int

  public init(
    weights: LayerWeights, report: LayerReport, context: Int = 0, fold: ChannelFold = .none
  ) {
    (self.weights, self.report) = (weights, report)
    (self.context, self.fold) = (context, fold)
  }
}

extension ModelLayers {
  /// Compresses all of a layer.
  ///
  /// - Parameters:
  ///   - number: the layer.
  ///   - scheme: what it is to become.
  ///   - statistics: what it reads, as far as the scheme needs to know that.
  ///   - factor: of the same inputs, if it is at hand.
  ///   - fold: the scales that its weights are to have.
  ///   - pool: threads that share the work.
  ///   - pace: of the layer.
  /// - Returns: the layer, with the exact report on it.
  /// - Throws: ``WorkFailure`` when the scheme does not fit, something it needs is missing, or weights are no numbers.
  public func compressed(
    _ number: Int, _ scheme: Scheme, statistics: InputStatistics?, factor: HessianFactor? = nil,
    fold: ChannelFold = .none, on pool: WorkerPool, pace: Pace
  ) throws(WorkFailure) -> LayerResult {
    let matrix = try matrix(of: number)
    do throws(CompressionError) {
      var compressor = try LayerCompressor(
        matrix: matrix, shape: shapes[number], scheme: scheme, profile: profiles[number],
        statistics: statistics, factor: factor, scales: fold.scales, pool: pool)
      while true {
        if let found = compressor.finish(original: originalBytes(of: number)) {
          return LayerResult(weights: found.layer.weights, report: found.report, fold: fold)
        }
        try compressor.step(rows: compressor.suggestedStep)
        try pace.advance(to: compressor.progress, layer: shapes[number].name)
      }
    } catch {
      throw WorkFailure(error)
    }
  }
}
