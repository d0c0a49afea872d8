import Tensors

/// One layer under a scheme: what an export writes, and what the compressed model multiplies by.
public struct CompressedLayer: Sendable {
  public let shape: LayerShape
  public let scheme: Scheme
  /// These very codes, scales and zeros are in the layer's slot of the running model: the checkpoint's own weights of a layer
  /// that is kept, all weights in the layer's 16-bit type of one that is only pruned.
  public let weights: LayerWeights

  public init(shape: LayerShape, scheme: Scheme, weights: LayerWeights) {
    self.shape = shape
    self.scheme = scheme
    self.weights = weights
  }
}
