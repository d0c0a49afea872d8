import Tensors

/// A tensor of a checkpoint as it lies in the files, whatever its type.
package struct StoredTensor: Hashable, Sendable {
  /// As the files name it.
  package let name: String
  /// As the format names it.
  package let typeName: String
  /// Row-major.
  package let shape: [Int]
  package let byteCount: Int
  fileprivate let file: Int
  fileprivate let offset: Int
}

extension Checkpoint {
  /// The tensors that the model does not compute with and no layer is made of.
  package var unusedTensors: [StoredTensor] { kept.map(StoredTensor.init) }

  /// The tensors that a layer is made of, such as one for each expert.
  package func tensors(ofLayer name: String) -> [StoredTensor] {
    (layerTensors[name] ?? []).compactMap { table[$0].map(StoredTensor.init) }
  }

  /// Whether a layer is stored with inputs for rows.
  package func isTransposed(_ layer: String) -> Bool {
    if case .transposed = layers[layer] { return true }
    return false
  }

  /// A tensor as the matrix of its last dimension's rows; nil for a type that cannot be decoded, and without a row.
  func matrix(of tensor: StoredTensor) -> StoredMatrix? {
    guard let type = ElementType(rawValue: tensor.typeName), type.isDecodable,
      let columns = tensor.shape.last, columns > 0
    else { return nil }
    return StoredMatrix(
      storage: table.storages[tensor.file], offset: tensor.offset, type: type,
      rows: tensor.shape.dropLast().reduce(1, *), columns: columns)
  }

  /// A tensor's bytes.
  package func bytes(of tensor: StoredTensor) -> [UInt8] {
    table.storages[tensor.file].bytes(in: tensor.offset..<tensor.offset + tensor.byteCount)
  }
}

extension StoredTensor {
  fileprivate init(_ entry: TensorEntry) {
    self.init(
      name: entry.name, typeName: entry.typeName, shape: entry.shape, byteCount: entry.byteCount,
      file: entry.file, offset: entry.offset)
  }
}
