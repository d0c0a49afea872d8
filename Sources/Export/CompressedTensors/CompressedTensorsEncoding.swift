import Checkpoints
import Compression
import JSON
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
  public let notes: [String]
  private let layers: [String: LayerEncoding]
  private let others: OtherTensors
  private let target: ExportTarget
  private let checkpoint: Checkpoint

  /// Lays out a model for a target.
  ///
  /// - Parameters:
  ///   - model: its checkpoint is read for settings, files, the tokenizer, and all tensors that are no layers.
  ///   - target: one that loads ``ExportFormat/compressedTensors``.
  ///   - shardBytes: most bytes of tensors in one file; a layer is never parted.
  /// - Throws: ``ExportError/refused(_:_:)`` when the target cannot hold some layer's scheme.
  public init(
    model: ExportModel, target: ExportTarget, shardBytes: Int = Self.standardShardBytes
  ) throws(ExportError) {
    others = try OtherTensors(of: model.checkpoint, in: .huggingFace)
    let outline = CompressedTensorsOutline(
      of: model.checkpoint, for: target, shardBytes: shardBytes, others: others)
    let refusals = outline.refusals(of: model.schemes)
    guard refusals.isEmpty else { throw .refused(target, refusals) }
    let encodings = outline.encodings(of: model.schemes)
    notes = CompressedTensorsLimits.notes(
      on: model.checkpoint.description,
      quantized: encodings.filter { $0.format != nil }.map(\.shape), target: target)
    layers = Dictionary(
      encodings.map { ($0.shape.name, $0) }, uniquingKeysWith: { first, _ in first })
    self.target = target
    checkpoint = model.checkpoint
    layout = try HuggingFaceLayout.layout(
      of: model.checkpoint, tensors: outline.tensors(with: encodings.map(\.tensors)),
      quantization: outline.carriesCodes(encodings)
        ? Self.ownQuantization(of: model.checkpoint) : outline.quantization(of: encodings),
      shardBytes: shardBytes)
  }

  /// What a checkpoint's config.json says of how it is quantized.
  static func ownQuantization(
    of checkpoint: Checkpoint
  ) throws(ExportError) -> JSONValue? {
    guard case .directory(let directory) = checkpoint.source else { return nil }
    do throws(CheckpointError) {
      return try directory.json(HuggingFaceDirectory.config)?.root["quantization_config"]
    } catch {
      throw ExportError(error)
    }
  }

  public func tensors(of layer: CompressedLayer) throws(ExportError) -> [EncodedTensor] {
    guard let encoding = layers[layer.shape.name] else { throw .noPlace(for: layer.shape.name) }
    if encoding.copies != nil {
      return checkpoint.tensors(ofLayer: layer.shape.name).map {
        EncodedTensor(name: $0.name, bytes: checkpoint.bytes(of: $0))
      }
    }
    if let flaw = CompressedTensorsLimits.flaw(of: layer, target: target) {
      throw .unsupported(reason: flaw, hint: "compress it to FP8 or MXFP4")
    }
    return try encoding.encoded(layer.weights)
  }

  public func rounded(_ rounding: RowRounding) -> RoundedLayer? {
    guard let encoding = layers[rounding.shape.name], encoding.format != nil,
      encoding.copies == nil, !encoding.shape.hasNumberedExperts,
      rounding.quantization.hasFreeGroups
    else { return nil }
    return RoundedLayer(rounding, as: encoding.tensors.map(\.name)) {
      encoding.bytes(of: $0, rows: $1)
    }
  }

  public func tensorNames(ofLayer name: String) -> [String] {
    layers[name]?.tensors.map(\.name) ?? []
  }

  public var otherNames: [String] { others.entries.map(\.name) }

  public func other(
    _ name: String, norms: [String: [Float]]
  ) throws(ExportError) -> EncodedTensor {
    try others.encoded(name, norms: norms)
  }
}
