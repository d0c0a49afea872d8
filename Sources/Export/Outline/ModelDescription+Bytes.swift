import Checkpoints
import Compression

extension ModelDescription {
  /// Bytes of all tensors of the model, as they are stored under these schemes.
  ///
  /// - Parameter schemes: of each layer, in the model's order.
  /// - Returns: what a plan takes while it is for no target; ``ExportOutline`` has the bytes of a target's files.
  public func tensorBytes(under schemes: [Scheme]) -> Int {
    zip(zip(layers, layerShapes), schemes).reduce(tensorBytes) { sum, place in
      let ((layer, shape), scheme) = place
      let size = LayerSize.predicted(for: shape, scheme: scheme, original: layer.bytes)
      return sum + size.total - layer.bytes
    }
  }
}
