import Synchronization
import Tensors

/// Where a layer's weights come from: they are at hand, or made from several tensors when asked for.
enum LayerSource: Sendable {
  case weights(LayerWeights)
  case quantized(any StoredLayer)
  /// Matrices of one width, one below the other: experts.
  case stack([LayerSource])
  /// A stack of matrices that is stored with inputs for rows: `count` of `columns` x `rows` each.
  case transposed(StoredMatrix, count: Int)
  /// A stack of matrices in which each gate is followed by its up; it is read with the gates of each matrix first.
  indirect case alternating(LayerSource, count: Int)
  /// A matrix of plain numbers that reads heads in the tiled order, where the file has them grouped.
  case tiled(StoredMatrix, HeadTiling)

  /// The weights, read anew.
  func read() throws(CheckpointError) -> LayerWeights {
    switch self {
    case .weights(let weights): return weights
    case .quantized(let layer): return try layer.weights()
    case .stack(let parts):
      var stack: [LayerWeights] = []
      for part in parts { stack.append(try part.read()) }
      return .stack(stack)
    case .transposed(let matrix, let count): return .stored(matrix.transposed(count: count))
    case .alternating(let source, let count):
      let weights = try source.read()
      let isVector = weights.rows == 1
      let places = StackLayout.gatesFirst(
        count: count, rows: isVector ? weights.columns : weights.rows)
      return weights.selecting(
        rows: isVector ? nil : places, columns: isVector ? places : nil)
    case .tiled(let matrix, let tiling):
      return .stored(matrix.orderingColumns { tiling.grouped($0, of: matrix.columns) })
    }
  }

  /// Whether reading makes a copy in memory.
  var isCopied: Bool {
    switch self {
    case .weights: false
    case .quantized, .transposed, .alternating, .tiled: true
    case .stack(let parts): parts.contains(where: \.isCopied)
    }
  }
}

/// The layer that was read last into memory, since work on a layer asks for it many times in a row.
///
/// One is kept, so that memory is bounded by the largest layer.
final class LastReadLayer: Sendable {
  private let last = Mutex<(name: String, weights: LayerWeights)?>(nil)

  /// The weights of a layer, read unless it is the last.
  func weights(
    of name: String, from source: LayerSource
  ) throws(CheckpointError) -> LayerWeights {
    if let known = last.withLock({ $0?.name == name ? $0?.weights : nil }) { return known }
    let weights = try source.read()
    last.withLock { $0 = (name, weights) }
    return weights
  }
}
