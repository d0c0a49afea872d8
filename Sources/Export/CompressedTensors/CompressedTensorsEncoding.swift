import Checkpoints
import Compression

/// A Hugging Face directory whose layers are stored as the compressed-tensors package has them.
public struct CompressedTensorsEncoding: ModelEncoding {
  public let layout: ExportLayout

  /// Lays out a model for a target.
  ///
  /// - Throws: ``ExportError/refused(_:_:)`` when the target cannot hold some layer's scheme.
  public init(model: ExportModel, target: ExportTarget) throws(ExportError) {
    throw .unsupported(reason: "compressed-tensors is not written yet", hint: nil)
  }

  public func tensors(of layer: CompressedLayer) throws(ExportError) -> [EncodedTensor] {
    throw .unsupported(reason: "compressed-tensors is not written yet", hint: nil)
  }

  public func tensor(ofNorm norm: String, values: [Float]) throws(ExportError) -> EncodedTensor {
    throw .unsupported(reason: "compressed-tensors is not written yet", hint: nil)
  }
}
