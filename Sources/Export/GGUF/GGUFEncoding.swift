import Checkpoints
import Compression
import Tensors

/// A model as one GGUF file (version 3), which llama.cpp loads.
///
/// Layers are in the block type of their scheme, those only pruned in 16 bits, and kept ones as the checkpoint has them;
/// norms are F32. The factors that stretch RoPE depend on no layer, so that they count as header.
public struct GGUFEncoding: ModelEncoding {
  public let layout: ExportLayout
  private let tensors: [String: Place]

  /// Where a tensor goes, by its Hugging Face name.
  private struct Place: Sendable {
    let tensor: GGUFFile.Tensor
    let rowOrder: RowOrder
  }

  /// - Throws: ``ExportError`` when GGUF cannot hold a layer's scheme, or the model's settings and tokenizer.
  public init(model: ExportModel) throws(ExportError) {
    let outline = GGUFOutline(of: model.checkpoint)
    let refusals = outline.refusals(of: model.schemes)
    guard refusals.isEmpty else { throw .refused(.llamaCpp, refusals) }
    let (file, places) = try Self.file(
      of: model.checkpoint, types: outline.types(of: model.schemes))
    layout = ExportLayout(files: [file])
    tensors = Dictionary(uniqueKeysWithValues: places.map { ($0.name, $0.place) })
  }

  public func tensors(of layer: CompressedLayer) throws(ExportError) -> [EncodedTensor] {
    let place = try place(of: layer.shape.name)
    var storage = layer.storage
    if case .original(let weights) = storage { storage = .original(weights.joined()) }
    let matrix: StoredMatrix
    switch storage {
    case .blocks(let stored), .original(.stored(let stored)): matrix = stored
    case .dense16(let bits):
      matrix = StoredMatrix(
        copying: bits.littleEndianBytes, type: layer.shape.storageType,
        rows: layer.shape.rows, columns: layer.shape.columns)
    case .original(.floats(let floats)):
      matrix = StoredMatrix(
        copying: floats.decoded(rows: 0..<floats.rows).values.bytes(as: place.tensor.type),
        type: place.tensor.type, rows: floats.rows, columns: floats.columns)
    case .packed, .original(.packed), .original(.stack), .floats:
      throw unexpected(place, "is not in blocks")
    }
    guard matrix.type == place.tensor.type, [matrix.rows, matrix.columns] == place.tensor.shape
    else {
      throw unexpected(
        place,
        "is \(matrix.rows) x \(matrix.columns) of \(matrix.type.rawValue), "
          + "not \(place.tensor.shape) of \(place.tensor.type.rawValue)")
    }
    return [EncodedTensor(name: place.tensor.name, bytes: matrix.bytes(in: place.rowOrder))]
  }

  public func tensor(ofNorm norm: String, values: [Float]) throws(ExportError) -> EncodedTensor {
    let place = try place(of: norm)
    guard place.tensor.shape == [values.count] else {
      throw unexpected(place, "has \(values.count) weights, not \(place.tensor.shape)")
    }
    return EncodedTensor(name: place.tensor.name, bytes: values.littleEndianBytes)
  }

  private func place(of name: String) throws(ExportError) -> Place {
    guard let place = tensors[name] else {
      throw .file(path: layout.files[0].name, tensor: name, reason: "is no part of the model")
    }
    return place
  }

  private func unexpected(_ place: Place, _ reason: String) -> ExportError {
    .file(path: layout.files[0].name, tensor: place.tensor.name, reason: reason)
  }
}

extension GGUFEncoding {
  /// Bytes of the file but for the layers and the zeros after them, which are the same under every plan.
  static func fixedBytes(
    of checkpoint: Checkpoint, _ outline: GGUFOutline
  ) throws(ExportError) -> Int {
    let type = ElementType.float16
    let types = checkpoint.description.layers.map { _ in type }
    return try file(of: checkpoint, types: types).layout.byteCount - outline.paddedBytes(in: type)
  }

  /// The file of a model whose layers have these types, in the model's order.
  private static func file(
    of checkpoint: Checkpoint, types: [ElementType]
  ) throws(ExportError) -> (layout: FileLayout, places: [(name: String, place: Place)]) {
    let description = checkpoint.description
    let types = Dictionary(
      zip(description.layers.map(\.name), types), uniquingKeysWith: { first, _ in first })
    var places: [(name: String, place: Place)] = []
    for (tensor, rowOrder) in description.tensors(in: .gguf) {
      let stored = GGUFFile.Tensor(
        name: tensor.storedName(in: .gguf), type: types[tensor.name] ?? .float32,
        shape: tensor.shape)
      places.append((tensor.name, Place(tensor: stored, rowOrder: rowOrder)))
    }
    var metadata: GGUFMetadata
    do {
      metadata = try GGUFMetadata(of: checkpoint)
    } catch {
      throw .unsupported(reason: "\(error.file) \(error.reason)", hint: error.hint)
    }
    let fileType = GGUFFileType(ofMost: description.layers, types: types)
    metadata.set("general.file_type", .uint32(fileType.rawValue))
    metadata.set("general.quantization_version", .uint32(GGUFMetadata.quantizationVersion))
    let layout = layout(
      named: "\(description.name)-\(fileType.name).gguf", metadata.fields,
      places.map(\.place.tensor), description)
    return (layout, places)
  }

  private static func layout(
    named name: String, _ metadata: [GGUFFile.Field], _ tensors: [GGUFFile.Tensor],
    _ model: ModelDescription
  ) -> FileLayout {
    let factors = model.ropeFactors
    let constant = factors.map {
      GGUFFile.Tensor(name: "rope_freqs.weight", type: .float32, shape: [$0.count])
    }
    let file = GGUFFile(metadata: metadata, tensors: (constant.map { [$0] } ?? []) + tensors)
    var header = file.header
    let offsets = file.offsets(after: header.count)
    if let factors {
      header += factors.littleEndianBytes
      header += Array(repeating: 0, count: GGUFFile.padded(header.count) - header.count)
    }
    let slots = zip(file.tensors, offsets).map { tensor, offset in
      TensorSlot(
        name: tensor.name, type: tensor.type.rawValue, shape: tensor.shape, offset: offset,
        byteCount: tensor.byteCount)
    }
    let end = slots.last.map { GGUFFile.padded($0.offset + $0.byteCount) } ?? header.count
    return FileLayout(
      name: name, header: header, tensors: Array(slots.suffix(tensors.count)), byteCount: end)
  }
}

extension Scheme {
  /// The element type that a layer under this scheme has in GGUF; that of no scheme for codes that GGUF cannot hold.
  func ggufType(for shape: LayerShape) -> ElementType {
    if let block = quantization?.block { return block.elementType }
    return sparsity == nil ? shape.type : shape.storageType
  }
}

extension ModelDescription {
  /// By how much RoPE's frequencies are divided, as llama.cpp's converter stores it; nil where they are not.
  fileprivate var ropeFactors: [Float]? {
    ropeScaling?.divisors(headSize: headSize, theta: ropeTheta).map { Float($0) }
  }
}
