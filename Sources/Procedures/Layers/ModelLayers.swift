import Checkpoints
import Compression
import Tensors
import Work

/// The layers of a checkpoint by their place in the model, and what is kept of reading them.
public struct ModelLayers: Sendable {
  public let checkpoint: Checkpoint
  /// Of every layer, in the model's order.
  public let shapes: [LayerShape]
  /// What the weights of layers look like, as far as they were read.
  public var profiles: [Int: RowProfile] = [:]
  private let numbers: [String: Int]

  public init(_ checkpoint: Checkpoint) {
    self.checkpoint = checkpoint
    shapes = checkpoint.description.layerShapes
    numbers = Dictionary(
      shapes.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  public var description: ModelDescription { checkpoint.description }

  /// Place of a layer in the model; nil for names that are no layer.
  public func number(of layer: String) -> Int? { numbers[layer] }

  /// Number of weights of a layer.
  public func weights(of number: Int) -> Int { shapes[number].rows * shapes[number].columns }

  /// Bytes of a layer in the checkpoint.
  public func originalBytes(of number: Int) -> Int { description.layers[number].bytes }

  /// What must be known of a layer's inputs for a scheme, and whether that takes the sweep over the blocks.
  ///
  /// An embedding that is no head reads one row a token, of which all is known.
  public func need(of scheme: Scheme, for number: Int) -> CalibrationNeed {
    description.layers[number].site == nil ? .nothing : scheme.calibrationNeed
  }

  /// A layer's weights in the checkpoint.
  ///
  /// - Throws: ``WorkFailure`` when they cannot be read.
  public func matrix(of number: Int) throws(WorkFailure) -> LayerWeights {
    do {
      return try checkpoint.matrix(of: shapes[number].name)
    } catch {
      throw WorkFailure(error)
    }
  }

  /// What a layer's weights look like; read if that is not known yet.
  ///
  /// - Parameters:
  ///   - number: the layer.
  ///   - pool: threads that share the work.
  ///   - pace: of reading it twice.
  /// - Returns: its profile.
  /// - Throws: ``WorkFailure`` for weights that cannot be read or are no numbers, and when the pace ends it.
  public func profile(
    of number: Int, on pool: WorkerPool, pace: Pace
  ) throws(WorkFailure) -> RowProfile {
    if let known = profiles[number] { return known }
    let shape = shapes[number]
    var profiler = RowProfiler(matrix: try matrix(of: number), layer: shape.name)
    while true {
      if let profile = profiler.finish() { return profile }
      do throws(CompressionError) {
        try profiler.step(
          rows: max(1, (1 << 19) / shape.columns) * pool.threadCount, pool: pool)
      } catch {
        throw WorkFailure(error)
      }
      try pace.tick(Double(profiler.completedRows) / Double(profiler.totalRows))
    }
  }
}
