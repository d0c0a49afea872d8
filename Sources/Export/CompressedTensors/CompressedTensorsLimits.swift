import Compression

/// What compressed-tensors, and the servers that read it, can hold.
public enum CompressedTensorsLimits {
  /// Why a target cannot hold a layer under a scheme, and the nearest scheme that it can; nil if it can.
  ///
  /// - Parameters:
  ///   - scheme: one that ``Scheme/validated(for:)`` accepts.
  ///   - shape: the layer without its weights.
  ///   - target: one that loads ``ExportFormat/compressedTensors``.
  /// - Returns: the reason as a clause, and the nearest scheme, nil if there is none.
  public static func flaw(
    of scheme: Scheme, for shape: LayerShape, target: ExportTarget
  ) -> (reason: String, nearest: Scheme?)? {
    nil
  }

  /// Layers that a target can hold by themselves, but not beside each other.
  ///
  /// - Parameters:
  ///   - schemes: of each layer, in the order of `shapes`.
  ///   - shapes: all layers of a model.
  ///   - target: one that loads ``ExportFormat/compressedTensors``.
  /// - Returns: the layers to change; none if all is well.
  public static func refusals(
    of schemes: [Scheme], for shapes: [LayerShape], target: ExportTarget
  ) -> [ExportRefusal] {
    []
  }
}
