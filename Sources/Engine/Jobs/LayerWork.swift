import Compression
import Tensors

/// How long a step goes on before others have their turn.
let stepLength = Duration.milliseconds(15)

/// One layer on its way to a sampled report under one scheme.
struct SampleWork {
  let key: LayerCache.Key
  private var profiler: RowProfiler?

  init(_ key: LayerCache.Key) { self.key = key }

  /// Works for a while.
  ///
  /// - Returns: the report, once it is there; nil before.
  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> LayerReport? {
    let shape = workspace.shapes[key.layer]
    let matrix = try workspace.matrix(of: key.layer)
    do throws(CompressionError) {
      guard let profile = workspace.profile(of: key.layer) else {
        var profiler = profiler ?? RowProfiler(matrix: matrix, layer: shape.name)
        self.profiler = nil
        let (end, pool) = (workspace.now() + stepLength, workspace.models.sharedPool())
        repeat {
          try profiler.step(
            rows: max(1, (1 << 19) / shape.columns) * pool.threadCount, pool: pool)
        } while !profiler.isFinished && workspace.now() < end
        if let profile = profiler.finish() { workspace.keep(profile, of: key.layer) }
        self.profiler = profiler
        return nil
      }
      let preview = try LayerPreview(
        matrix: matrix, shape: shape, scheme: key.scheme, profile: profile,
        statistics: workspace.statistics(of: key.layer))
      return try preview.report(original: workspace.originalBytes(of: key.layer))
    } catch {
      throw JobFailure(error)
    }
  }
}

/// One layer on its way to being compressed under one scheme.
struct CompressionWork {
  let key: LayerCache.Key
  private let inputs: InputStatistics?
  private let factor: HessianFactor?
  private let fold: ChannelFold
  private var compressor: LayerCompressor?

  /// - Parameters:
  ///   - key: the layer, and what it is to become.
  ///   - inputs: what it reads; without, what calibration knows.
  ///   - factor: of the same inputs, if it is at hand.
  ///   - fold: the scales that its weights are to have.
  init(
    _ key: LayerCache.Key, inputs: InputStatistics? = nil, factor: HessianFactor? = nil,
    fold: ChannelFold = .none
  ) {
    self.key = key
    self.inputs = inputs
    self.factor = factor
    self.fold = fold
  }

  /// The share of the work that is done, from 0 to 1.
  var progress: Double { compressor?.progress ?? 0 }

  /// Works for a while.
  ///
  /// - Returns: what came of it, once it is there; nil before.
  mutating func step(in workspace: inout Workspace) throws(JobFailure) -> LayerResult? {
    if let result = workspace.result(for: key) { return result }
    let shape = workspace.shapes[key.layer]
    let matrix = try workspace.matrix(of: key.layer)
    do throws(CompressionError) {
      var compressor = try begun(matrix, shape, in: &workspace)
      // Held in one place only while it works, so that nothing of it is copied.
      self.compressor = nil
      let end = workspace.now() + stepLength
      repeat {
        try compressor.step(rows: compressor.suggestedStep)
      } while !compressor.isFinished && workspace.now() < end
      self.compressor = compressor
      return compressor.finish(original: workspace.originalBytes(of: key.layer)).map {
        LayerResult(
          weights: $0.layer.weights, report: $0.report, context: key.context, fold: fold)
      }
    } catch {
      throw JobFailure(error)
    }
  }

  private func begun(
    _ matrix: LayerWeights, _ shape: LayerShape, in workspace: inout Workspace
  ) throws(CompressionError) -> LayerCompressor {
    if let compressor { return compressor }
    return try LayerCompressor(
      matrix: matrix, shape: shape, scheme: key.scheme, profile: workspace.profile(of: key.layer),
      statistics: inputs ?? workspace.statistics(of: key.layer), factor: factor,
      scales: fold.scales, pool: workspace.models.sharedPool())
  }
}
