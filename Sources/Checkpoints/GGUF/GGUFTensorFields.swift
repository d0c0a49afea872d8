import Tensors

/// One tensor's fields in a GGUF header, before they are checked against the file.
struct GGUFTensorFields: Sendable {
  let name: String
  /// Row-major; the file has the dimensions in the opposite order.
  let shape: [Int]
  /// nil for a number that this version does not know.
  let type: ElementType?
  /// The type's name, or its number after a #.
  let typeName: String
  /// Byte offset from the start of the tensors' bytes.
  let offset: UInt64

  init(_ cursor: inout GGUFCursor) throws(CheckpointError) {
    let name = try cursor.name(limit: 63, of: "a tensor's name")
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
    let number = UInt32(try cursor.unsigned(width: 4))
    self.name = name
    self.shape = dimensions.reversed()
    type = ElementType(number: number)
    typeName = type?.rawValue ?? "#\(number)"
    offset = try cursor.unsigned(width: 8)
  }

  /// Bytes of the tensor; nil for a type of unknown size.
  func byteCount(_ cursor: GGUFCursor) throws(CheckpointError) -> Int? {
    guard let type else { return nil }
    guard let count = TensorEntry.byteCount(type, shape) else {
      throw cursor.error(
        "\(shape) of \(typeName) overflows, or its rows are no whole blocks", tensor: name)
    }
    return count
  }
  /// What ggml numbers a type, by the name that ``typeName`` gives it; nil if it has none such.
  static func number(ofTypeNamed name: String) -> UInt32? {
    if let type = ElementType(rawValue: name) { return type.format.number }
    return name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
  }
}
