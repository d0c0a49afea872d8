import Tensors

/// One tensor's fields in a GGUF header, before they are checked against the file.
struct GGUFTensorFields: Sendable {
  let name: String
  /// Row-major; the file has the dimensions in the opposite order.
  let shape: [Int]
  let typeName: String
  /// Byte offset from the start of the tensors' bytes.
  let offset: UInt64

  init(_ cursor: inout GGUFCursor) throws(CheckpointError) {
    let name = try cursor.name(limit: 64, of: "a tensor's name")
    let dimensionCount = try cursor.unsigned(width: 4)
    guard (1...4).contains(dimensionCount) else {
      throw cursor.error("has \(dimensionCount) dimensions, not 1 to 4", tensor: name)
    }
    var dimensions: [Int] = []
    for _ in 0..<dimensionCount {
      let size = try cursor.unsigned(width: 8)
      guard let dimension = Int(exactly: size) else {
        throw cursor.error("has a dimension of \(size)", tensor: name)
      }
      dimensions.append(dimension)
    }
    let type = UInt32(try cursor.unsigned(width: 4))
    guard let typeName = ElementType(number: type)?.rawValue else {
      throw cursor.error("has the unknown type number \(type)", tensor: name)
    }
    self.name = name
    self.shape = dimensions.reversed()
    self.typeName = typeName
    self.offset = try cursor.unsigned(width: 8)
  }

  /// Bytes of the tensor; 0 for a type that this version does not know the size of.
  func byteCount(_ cursor: GGUFCursor) throws(CheckpointError) -> Int {
    guard let type = ElementType(rawValue: typeName) else { return 0 }
    guard let count = TensorEntry.byteCount(type, shape) else {
      throw cursor.error(
        "\(shape) of \(typeName) overflows, or its rows are no whole blocks", tensor: name)
    }
    return count
  }
}
