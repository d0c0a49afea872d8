import Checkpoints
import Compression
import Inference
import Tensors

/// A Hugging Face directory whose layers are stored as the compressed-tensors package has them.
///
/// Quantized layers become `pack-quantized` in the dense layout of compressed-tensors 0.19; vLLM on a CPU, which
/// has no kernel for 8-bit codes and 16-bit inputs, gets 8-bit layers as `int-quantized` and rounds their inputs.
/// Layers that are only pruned are dense, zeros included: no reader has another form of them.
/// Kept layers and norms stay as the checkpoint has them, but that GGUF's blocks become F16.
public struct CompressedTensorsEncoding: ModelEncoding {
  /// Most bytes of tensors in one file, as transformers parts them.
  public static let standardShardBytes = 5_000_000_000

  public let layout: ExportLayout
  private let layers: [String: LayerEncoding]
  private let norms: [String: ElementType]
  private let target: ExportTarget

  /// Lays out a model for a target.
  ///
  /// - Parameters:
  ///   - model: its checkpoint is read for settings, files and the tokenizer, not for weights.
  ///   - target: one that loads ``ExportFormat/compressedTensors``.
  ///   - shardBytes: most bytes of tensors in one file; a layer is never parted.
  /// - Throws: ``ExportError/refused(_:_:)`` when the target cannot hold some layer's scheme.
  public init(
    model: ExportModel, target: ExportTarget, shardBytes: Int = Self.standardShardBytes
  ) throws(ExportError) {
    let checkpoint = model.checkpoint
    let shapes = checkpoint.description.layerShapes
    var schemes = model.schemes
    var norms: [String: ElementType] = [:]
    do throws(CheckpointError) {
      for (number, shape) in shapes.enumerated() where schemes[number].keepsLayer {
        schemes[number] = Scheme(
          of: try checkpoint.matrix(of: shape.name), in: shape, for: target)
      }
      for (tensor, _) in checkpoint.description.tensors(in: .huggingFace) where tensor.role == nil {
        norms[tensor.name] = try checkpoint.matrix(of: tensor.name).type
      }
    } catch {
      throw ExportError(error)
    }
    try Self.check(schemes, shapes, target)
    let encodings = zip(schemes, shapes).map { scheme, shape in
      LayerEncoding(shape: shape, format: WeightFormat(scheme, for: shape, target: target))
    }
    layers = Dictionary(
      encodings.map { ($0.shape.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.norms = norms
    self.target = target
    let normTensors = norms.map { name, type in
      SafetensorsLayout.Tensor(
        name: "\(name).weight", type: type, shape: [checkpoint.description.hiddenSize])
    }
    let quantization = QuantizationConfig(
      encodings, tiesEmbeddings: checkpoint.description.tiesEmbeddings)
    layout = try HuggingFaceLayout.layout(
      of: checkpoint, tensors: encodings.map(\.tensors) + [normTensors],
      quantization: quantization?.json, shardBytes: shardBytes)
  }

  private static func check(
    _ schemes: [Scheme], _ shapes: [LayerShape], _ target: ExportTarget
  ) throws(ExportError) {
    let alone = zip(schemes, shapes).compactMap { scheme, shape in
      CompressedTensorsLimits.flaw(of: scheme, for: shape, target: target).map {
        ExportRefusal(layer: shape.name, reason: $0.reason, nearest: $0.nearest)
      }
    }
    let together = CompressedTensorsLimits.refusals(of: schemes, for: shapes, target: target)
    guard alone.isEmpty, together.isEmpty else { throw .refused(target, alone + together) }
  }

  public func tensors(of layer: CompressedLayer) throws(ExportError) -> [EncodedTensor] {
    guard let encoding = layers[layer.shape.name] else { throw .noPlace(for: layer.shape.name) }
    if let flaw = CompressedTensorsLimits.flaw(of: layer, target: target) {
      throw .unsupported(reason: flaw, hint: "compress it to FP8 or MXFP4")
    }
    return try encoding.encoded(layer.storage)
  }

  public func tensor(ofNorm norm: String, values: [Float]) throws(ExportError) -> EncodedTensor {
    guard let type = norms[norm] else { throw .noPlace(for: norm) }
    return EncodedTensor(name: "\(norm).weight", bytes: values.bytes(as: type))
  }
}

extension Scheme {
  /// What a layer that is kept has been under already: its codes stay, if it has any.
  ///
  /// Floats that the target cannot hold become weights of 16 bits.
  fileprivate init(of weights: LayerWeights, in shape: LayerShape, for target: ExportTarget) {
    switch weights {
    case .stored: self = .keep
    case .packed(let matrix):
      self.init(
        quantization: QuantizationScheme(
          bits: matrix.bits, group: matrix.groupsPerRow == 1 ? .channel : .size(matrix.groupSize),
          isSymmetric: matrix.zeros == .symmetric))
    case .floats(let matrix):
      self.init(quantization: QuantizationScheme(float: matrix.format))
      if CompressedTensorsLimits.flaw(of: self, for: shape, target: target) != nil { self = .keep }
    }
  }
}
