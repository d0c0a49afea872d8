import Checkpoints
import Compression

/// A model as one GGUF file (version 3), which llama.cpp loads.
public struct GGUFEncoding: ModelEncoding {
  public let layout: ExportLayout

  /// - Throws: ``ExportError`` when GGUF cannot hold the model, or its files cannot be read.
  public init(model: ExportModel) throws(ExportError) {
    throw ExportError.unsupported(reason: "GGUF is not written yet", hint: nil)
  }

  public func tensors(of layer: CompressedLayer) throws(ExportError) -> [EncodedTensor] { [] }

  public func tensor(ofNorm norm: String, values: [Float]) throws(ExportError) -> EncodedTensor {
    throw ExportError.unsupported(reason: "GGUF is not written yet", hint: nil)
  }
}
