import Checkpoints
import Compression
import Tensors

/// All that decides the bytes of an export beside the plan.
///
/// It is small and holds no weights, so that whoever plans knows at once what a change makes of the files. The encodings
/// lay their files out by the same rules: what is forecast is what is written.
public struct ExportOutline: Codable, Hashable, Sendable {
  private enum Form: Codable, Hashable, Sendable {
    case compressedTensors(CompressedTensorsOutline)
    case gguf(GGUFOutline)
  }

  public let target: ExportTarget
  /// Of all layers, in the model's order.
  public let shapes: [LayerShape]
  /// Bytes of each layer in the checkpoint.
  private let originalBytes: [Int]
  private let form: Form
  /// Bytes of the files that no plan changes.
  private let fixedBytes: Int

  /// Outlines a model for a target.
  ///
  /// - Parameters:
  ///   - checkpoint: already without what the plan's structure removes; of its tensors all are read that are no layers.
  ///   - target: who is to load it.
  ///   - shardBytes: most bytes of tensors in one safetensors file.
  /// - Throws: ``ExportError`` when the model's settings or tokenizer do not go into the target's format, or a tensor that is
  ///   no layer is missing or damaged.
  public init(
    of checkpoint: Checkpoint, for target: ExportTarget,
    shardBytes: Int = CompressedTensorsEncoding.standardShardBytes
  ) throws(ExportError) {
    self.target = target
    shapes = checkpoint.description.layerShapes
    originalBytes = checkpoint.description.layers.map(\.bytes)
    switch target.format {
    case .gguf:
      let outline = GGUFOutline(of: checkpoint)
      form = .gguf(outline)
      fixedBytes = try GGUFEncoding.fixedBytes(of: checkpoint, outline)
    case .compressedTensors, .recipe, .report:
      let outline = CompressedTensorsOutline(
        of: checkpoint, for: target, shardBytes: shardBytes,
        others: try OtherTensors(of: checkpoint, in: .huggingFace))
      form = .compressedTensors(outline)
      fixedBytes = try HuggingFaceLayout.layout(
        of: checkpoint, tensors: [], quantization: nil, shardBytes: shardBytes
      ).byteCount
    }
  }

  /// What keeps the target from holding the model.
  ///
  /// - Parameter schemes: Of each layer, in the order of ``shapes``.
  /// - Returns: Layers that it cannot hold at all, then such as it cannot hold beside each other.
  public func refusals(of schemes: [Scheme]) -> [ExportRefusal] {
    switch form {
    case .compressedTensors(let outline): outline.refusals(of: schemes)
    case .gguf(let outline): outline.refusals(of: schemes)
    }
  }

  /// Whether a layer cannot be written under a scheme for what the checkpoint is, whatever the target can hold.
  ///
  /// - Parameters:
  ///   - scheme: One of the layer's.
  ///   - place: The layer's place in ``shapes``.
  /// - Returns: Whether it has to have another.
  public func lacksForm(of scheme: Scheme, at place: Int) -> Bool {
    switch form {
    case .compressedTensors(let outline): outline.lacksForm(of: scheme, at: place)
    case .gguf(let outline): outline.lacksForm(of: scheme, at: place)
    }
  }

  /// The bytes of everything under these schemes.
  ///
  /// - Parameter schemes: Of each layer, in the order of ``shapes``.
  /// - Returns: Bytes by layer and of all files, and what the target cannot hold.
  public func forecast(of schemes: [Scheme]) -> ExportForecast {
    let refusals = refusalsByPlace(of: schemes)
    let fitting = shapes.indices.filter { refusals[$0] == nil }
    let (written, overhead): ([Int: LayerSize], Int) =
      switch form {
      case .compressedTensors(let outline):
        outline.sizes(of: fitting, schemes, originalBytes: originalBytes)
      case .gguf(let outline): outline.sizes(of: fitting, schemes, originalBytes: originalBytes)
      }
    let layers = shapes.indices.map { place in
      written[place]
        ?? LayerSize.predicted(
          for: shapes[place], scheme: schemes[place], original: originalBytes[place])
    }
    return ExportForecast(
      layers: layers, total: layers.reduce(fixedBytes + overhead) { $0 + $1.total },
      refusals: refusals)
  }

  /// The schemes with the nearest that the target can hold in place of those that it cannot.
  ///
  /// - Parameters:
  ///   - schemes: Of each layer, in the order of ``shapes``.
  ///   - layers: Indices of those that may change; nil for all.
  /// - Returns: As many schemes; layers that can only be kept are kept.
  public func nearest(to schemes: [Scheme], changing layers: Set<Int>? = nil) -> [Scheme] {
    var schemes = schemes
    // Layers that must be alike may part again when each has become what it can be.
    for _ in 0..<Self.rounds {
      let refusals = refusalsByPlace(of: schemes).filter { layers?.contains($0.key) ?? true }
      guard !refusals.isEmpty else { break }
      for (place, refusal) in refusals { schemes[place] = refusal.nearest ?? .keep }
    }
    return schemes
  }

  private static let rounds = 4

  /// What keeps the target from holding the model, by the layer's index.
  private func refusalsByPlace(of schemes: [Scheme]) -> [Int: ExportRefusal] {
    let refused = Dictionary(
      refusals(of: schemes).map { ($0.layer, $0) }, uniquingKeysWith: { first, _ in first })
    return Dictionary(
      uniqueKeysWithValues: shapes.enumerated().compactMap { place, shape in
        refused[shape.name].map { (place, $0) }
      })
  }
}

extension LayerSize {
  /// The size of a layer under a scheme whose tensors take `written` bytes.
  init(of shape: LayerShape, scheme: Scheme, original: Int, written: Int) {
    self = .predicted(for: shape, scheme: scheme, original: original)
    if scheme.quantization == nil {
      codes = written
    } else {
      padding += written - total
    }
  }
}
