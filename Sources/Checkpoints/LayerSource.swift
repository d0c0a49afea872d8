import Synchronization
import Tensors

/// Where a layer's weights come from: they are at hand, or made from several tensors when asked for.
enum LayerSource: Sendable {
  case weights(LayerWeights)
  case quantized(any StoredLayer)
}

/// The quantized layer that was read last, since work on a layer asks for it many times in a row.
///
/// One is kept, so that memory is bounded by the largest layer.
final class LastReadLayer: Sendable {
  private let last = Mutex<(name: String, weights: LayerWeights)?>(nil)

  /// The weights of `layer`, read unless it is the last.
  func weights(of layer: any StoredLayer) throws(CheckpointError) -> LayerWeights {
    if let known = last.withLock({ $0?.name == layer.name ? $0?.weights : nil }) { return known }
    let weights = try layer.weights()
    last.withLock { $0 = (layer.name, weights) }
    return weights
  }
}
