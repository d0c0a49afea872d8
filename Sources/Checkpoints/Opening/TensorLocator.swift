import Tensors

/// A layer, norm or bias in the files: one tensor, or the several that make it.
struct LocatedTensor: Sendable {
  var source: LayerSource
  /// The type of its weights once they are read.
  let type: ElementType
  /// Nil for weights that are stored as plain numbers.
  let scheme: WeightFormat?
  /// As the files name them.
  let tensorNames: [String]
  let byteCount: Int
}

/// Finds the tensors that a model should have, and checks them against its settings.
struct TensorLocator {
  let table: TensorTable
  let format: CheckpointFormat
  let quantization: Quantization?
  /// Names in messages what says how large tensors are.
  let settings: String

  /// - Throws: ``CheckpointError`` naming the tensor that is missing or does not fit.
  func locate(_ tensor: ModelTensor) throws(CheckpointError) -> LocatedTensor {
    guard format == .huggingFace, tensor.count > 1, tensor.kind == .weight else {
      if format == .huggingFace, let tiling = tensor.columnTiling {
        return try tiled(tensor, tiling)
      }
      let place = try matrix(
        tensor.name, storedName: tensor.storedName(in: format), shape: tensor.shape,
        count: format == .gguf ? tensor.ggufCount : tensor.count,
        order: format == .gguf ? tensor.ggufOrder : .plain, isLayer: tensor.role != nil,
        isEmbedding: tensor.role?.isEmbedding ?? false)
      return format == .huggingFace ? place.laidOut(as: tensor.layout, count: tensor.count) : place
    }
    return try experts(tensor)
  }

  /// A matrix of plain numbers whose columns are ordered anew when it is read.
  private func tiled(
    _ tensor: ModelTensor, _ tiling: HeadTiling
  ) throws(CheckpointError) -> LocatedTensor {
    let name = tensor.storedName(in: format)
    let matrix = try stored(
      name, name: tensor.name, shape: tensor.shape, count: 1, order: .plain)
    return LocatedTensor(
      source: .tiled(matrix, tiling), type: matrix.type, scheme: nil, tensorNames: [name],
      byteCount: matrix.byteCount)
  }

  /// Experts in one tensor, with or without `.weight`, or in a tensor each.
  private func experts(_ tensor: ModelTensor) throws(CheckpointError) -> LocatedTensor {
    let whole = [tensor.name + ".weight", tensor.name].first { table[$0] != nil }
    let isQuantized = whole.flatMap { table[$0] }.map { $0.type?.isDecodable != true } ?? false
    let (rows, columns) = (tensor.shape[0] / tensor.count, tensor.shape[1])
    if let whole, !isQuantized {
      let isTransposed = tensor.layout.isTransposed
      let matrix = try stored(
        whole, name: tensor.name,
        shape: isTransposed ? [tensor.count * columns, rows] : tensor.shape,
        count: tensor.count, order: .plain)
      var place = LocatedTensor(stored: matrix, named: whole)
      if isTransposed { place.source = .transposed(matrix, count: tensor.count) }
      return place.laidOut(as: tensor.layout, count: tensor.count)
    }
    if let layer = try quantization?.layer(
      tensor.name, isEmbedding: false, shape: [tensor.count, rows, columns], in: table)
    {
      return LocatedTensor(layer).laidOut(as: tensor.layout, count: tensor.count)
    }
    var parts: [LocatedTensor] = []
    let named = ExpertName.all(in: tensor.name)
    for expert in 0..<tensor.count {
      let name = named?(expert) ?? tensor.name
      parts.append(
        try matrix(
          name, storedName: name + ".weight", shape: [rows, columns], count: 1,
          order: .plain, isLayer: true, isEmbedding: false))
    }
    return try LocatedTensor(stacking: parts, named: tensor.name, in: table)
  }

  private func matrix(
    _ name: String, storedName: String, shape: [Int], count: Int, order: RowOrder, isLayer: Bool,
    isEmbedding: Bool
  ) throws(CheckpointError) -> LocatedTensor {
    if isLayer, count == 1,
      let layer = try quantization?.layer(
        name, isEmbedding: isEmbedding, shape: shape, in: table)
    {
      return LocatedTensor(layer)
    }
    return LocatedTensor(
      stored: try stored(storedName, name: name, shape: shape, count: count, order: order),
      named: storedName)
  }

  private func stored(
    _ storedName: String, name: String, shape: [Int], count: Int, order: RowOrder
  ) throws(CheckpointError) -> StoredMatrix {
    func fail(_ entry: TensorEntry?, _ reason: String, hint: String? = nil) -> CheckpointError {
      let file = entry.map { table.files[$0.file] } ?? table.name
      return CheckpointError(file: file, tensor: storedName, reason: reason, hint: hint)
    }
    guard let entry = table[storedName] else {
      if let error = Quantization.unexplained(layer: name, in: table) { throw error }
      throw fail(nil, "is missing", hint: "get the complete model from its source")
    }
    let wanted = count == 1 ? shape : [count, shape[0] / count] + shape.dropFirst()
    // A matrix of one row may be stored as a vector.
    guard entry.shape == wanted || entry.shape.filter({ $0 != 1 }) == wanted.filter({ $0 != 1 })
    else {
      throw fail(
        entry, "has the shape \(entry.shape), where \(settings) makes it \(wanted)",
        hint: "check that the configuration belongs to these weights")
    }
    guard let type = entry.type, type.isDecodable else {
      throw fail(entry, "type \(entry.typeName) is not read")
    }
    let matrix = StoredMatrix(
      storage: table.storages[entry.file], offset: entry.offset, type: type,
      rows: shape.count == 2 || order != .plain ? shape[0] : 1,
      columns: shape.count == 2 ? shape[1] : order == .plain ? shape[0] : 1, rowOrder: order)
    guard let matrix else { throw fail(entry, "does not fit in the file") }
    return matrix
  }
}

extension LocatedTensor {
  /// The same, read with gates first where they alternate with ups.
  fileprivate func laidOut(as layout: StackLayout, count: Int) -> LocatedTensor {
    guard layout.alternates else { return self }
    var place = self
    place.source = .alternating(source, count: count)
    return place
  }

  init(_ layer: any StoredLayer) {
    self.init(
      source: .quantized(layer), type: layer.type, scheme: layer.scheme,
      tensorNames: layer.tensorNames, byteCount: layer.byteCount)
  }

  init(stored matrix: StoredMatrix, named name: String) {
    self.init(
      source: .weights(.stored(matrix)), type: matrix.type,
      scheme: matrix.type.isQuantized ? .block(matrix.type) : nil, tensorNames: [name],
      byteCount: matrix.byteCount)
  }

  /// - Throws: ``CheckpointError`` when the parts are not stored alike.
  init(
    stacking parts: [LocatedTensor], named name: String, in table: TensorTable
  ) throws(CheckpointError) {
    guard let first = parts.first,
      parts.allSatisfy({ $0.type == first.type && $0.scheme == first.scheme })
    else {
      throw CheckpointError(
        file: table.name, tensor: name, reason: "has experts that are stored in different types")
    }
    self.init(
      source: .stack(parts.map(\.source)), type: first.type, scheme: first.scheme,
      tensorNames: parts.flatMap(\.tensorNames), byteCount: parts.reduce(0) { $0 + $1.byteCount })
  }
}
