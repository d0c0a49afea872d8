import Checkpoints
import Compression
import Tensors

/// A model as one GGUF file (version 3), which llama.cpp loads.
///
/// Layers are in the block type of their scheme, those only pruned in 16 bits, and kept ones as the checkpoint has them.
/// Everything else is in ``OtherTensors``.
public struct GGUFEncoding: ModelEncoding {
  public let layout: ExportLayout
  public let notes: [String]
  private let places: [String: GGUFPlace]
  private let others: OtherTensors

  /// - Throws: ``ExportError`` when GGUF cannot hold a layer's scheme, or the model's settings and tokenizer.
  public init(model: ExportModel) throws(ExportError) {
    let outline = GGUFOutline(of: model.checkpoint)
    let refusals = outline.refusals(of: model.schemes)
    guard refusals.isEmpty else { throw .refused(.llamaCpp, refusals) }
    others = try OtherTensors(of: model.checkpoint, in: .gguf)
    let places = outline.places(types: outline.types(of: model.schemes))
    let (file, notes) = try Self.file(of: model.checkpoint, places, others)
    layout = ExportLayout(files: [file])
    self.notes = notes
    self.places = Dictionary(
      places.map { ($0.layer, $0) }, uniquingKeysWith: { first, _ in first })
  }

  public func tensors(of layer: CompressedLayer) throws(ExportError) -> [EncodedTensor] {
    guard let place = places[layer.shape.name] else { throw .noPlace(for: layer.shape.name) }
    let matrix: StoredMatrix
    switch layer.weights.joined() {
    case .stored(let stored): matrix = stored
    case .floats(let floats) where floats.format == .mxfp4 && place.type == .mxfp4:
      matrix = floats.blocks
    case .floats(let floats) where layer.scheme.keepsLayer:
      matrix = StoredMatrix(
        copying: floats.decoded(rows: 0..<floats.rows).values.bytes(as: place.type),
        type: place.type, rows: floats.rows, columns: floats.columns)
    case .packed, .floats, .stack:
      throw unexpected(place, "is not in blocks")
    }
    guard matrix.type == place.type, matrix.rows == layer.shape.rows,
      matrix.columns == layer.shape.columns
    else {
      throw unexpected(
        place,
        "is \(matrix.rows) x \(matrix.columns) of \(matrix.type.rawValue), "
          + "not \(layer.shape.rows) x \(layer.shape.columns) of \(place.type.rawValue)")
    }
    return place.encoded(matrix)
  }

  public func rounded(_ rounding: RowRounding) -> RoundedLayer? {
    guard let place = places[rounding.shape.name], place.tensors.count == 1,
      rounding.quantization.block?.elementType == place.type
    else { return nil }
    return RoundedLayer(rounding, as: place.tensors[0].name, in: place.rowOrder)
  }

  public func tensorNames(ofLayer name: String) -> [String] {
    places[name]?.tensors.map(\.name) ?? []
  }

  public var otherNames: [String] { others.entries.map(\.name) }

  public func other(
    _ name: String, norms: [String: [Float]]
  ) throws(ExportError) -> EncodedTensor {
    try others.encoded(name, norms: norms)
  }

  private func unexpected(_ place: GGUFPlace, _ reason: String) -> ExportError {
    .file(path: layout.files[0].name, tensor: place.layer, reason: reason)
  }
}

/// Where a layer goes in a GGUF file, and in which type.
struct GGUFPlace: Sendable {
  /// The layer's name in the model.
  let layer: String
  let type: ElementType
  let rowOrder: RowOrder
  /// The file's tensors that hold the layer, in order: two where gates and ups of experts are one layer, or keys and values.
  let tensors: [GGUFFile.Tensor]
  /// The layer's rows in each of several tensors.
  private let rows: [[Range<Int>]]
  private let split: LatentSplit?

  init(_ layer: GGUFLayer, type: ElementType) {
    self.layer = layer.shape.name
    self.type = type
    rowOrder = layer.rowOrder
    rows = layer.rows
    split = layer.split
    let (count, columns) = (layer.count, layer.shape.columns)
    let shapes =
      layer.split?.shapes
      ?? layer.rows.map { rows in
        (count > 1 ? [count] : []) + [rows.reduce(0) { $0 + $1.count } / count, columns]
      }
    tensors = zip(layer.names, shapes).map {
      GGUFFile.Tensor(name: $0, type: type, shape: $1)
    }
  }

  /// The elements of the tensors.
  func encoded(_ matrix: StoredMatrix) -> [EncodedTensor] {
    if let split {
      return zip(tensors, split.bytes(of: matrix)).map { EncodedTensor(name: $0.name, bytes: $1) }
    }
    guard tensors.count > 1 else {
      return [EncodedTensor(name: tensors[0].name, bytes: matrix.bytes(in: rowOrder))]
    }
    let bytes = matrix.bytes(in: .plain)
    let width = matrix.bytesPerRow
    return zip(tensors, rows).map { tensor, rows in
      EncodedTensor(
        name: tensor.name,
        bytes: rows.flatMap { bytes[$0.lowerBound * width..<$0.upperBound * width] })
    }
  }
}

extension GGUFEncoding {
  /// Bytes of the file but for the layers and the zeros after them, which are the same under every plan.
  static func fixedBytes(
    of checkpoint: Checkpoint, _ outline: GGUFOutline
  ) throws(ExportError) -> Int {
    let type = ElementType.float16
    let places = outline.places(types: checkpoint.description.layers.map { _ in type })
    let others = try OtherTensors(of: checkpoint, in: .gguf)
    return try file(of: checkpoint, places, others).file.byteCount - outline.paddedBytes(in: type)
  }

  private static func file(
    of checkpoint: Checkpoint, _ places: [GGUFPlace], _ others: OtherTensors
  ) throws(ExportError) -> (file: FileLayout, notes: [String]) {
    let description = checkpoint.description
    var metadata: GGUFMetadata
    do {
      metadata = try GGUFMetadata(of: checkpoint)
    } catch {
      throw .unsupported(reason: "\(error.file) \(error.reason)", hint: error.hint)
    }
    let types = Dictionary(
      places.map { ($0.layer, $0.type) }, uniquingKeysWith: { first, _ in first })
    let fileType = GGUFFileType(ofMost: description.layers, types: types)
    metadata.set("general.file_type", .uint32(fileType.rawValue))
    metadata.set("general.quantization_version", .uint32(GGUFMetadata.quantizationVersion))
    let file = GGUFFile(
      metadata: metadata.fields, tensors: tensors(of: places, others, in: description))
    let header = file.header
    let offsets = file.offsets(after: header.count)
    let slots = zip(file.tensors, offsets).map { tensor, offset in
      TensorSlot(
        name: tensor.name, type: tensor.typeName, shape: tensor.shape, offset: offset,
        byteCount: tensor.byteCount)
    }
    let end = slots.last.map { GGUFFile.padded($0.offset + $0.byteCount) } ?? header.count
    let layout = FileLayout(
      name: "\(description.name)-\(fileType.name).gguf", header: header, tensors: slots,
      byteCount: end)
    return (layout, metadata.notes)
  }
}

extension GGUFEncoding {
  /// All tensors: RoPE's, then those of the model in its order, then what it does not compute with.
  private static func tensors(
    of places: [GGUFPlace], _ others: OtherTensors, in model: ModelDescription
  ) -> [GGUFFile.Tensor] {
    var order: [String: Int] = [:]
    for (place, tensor) in model.tensors.enumerated() { order[tensor.ggufName] = place }
    let rest = others.entries.compactMap {
      GGUFFile.Tensor(
        name: $0.name, typeName: $0.typeName, shape: $0.shape, byteCount: $0.byteCount)
    }
    let all = places.flatMap(\.tensors) + rest
    func rank(_ tensor: GGUFFile.Tensor) -> Int {
      tensor.name.hasPrefix("rope_f") ? -1 : order[tensor.name] ?? .max
    }
    return all.enumerated().sorted {
      (rank($0.element), $0.offset) < (rank($1.element), $1.offset)
    }.map(\.element)
  }
}

extension Scheme {
  /// The element type that a layer under this scheme has in GGUF; that of no scheme for codes that GGUF cannot hold.
  func ggufType(for shape: LayerShape) -> ElementType {
    if let block = quantization?.block { return block.elementType }
    return sparsity == nil ? shape.type : shape.storageType
  }
}
