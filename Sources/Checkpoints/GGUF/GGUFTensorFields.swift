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
    guard let typeName = Self.typeNames[type] else {
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

  /// What ggml numbers a type; nil if it has none such.
  static func number(of type: ElementType) -> UInt32? { number(ofTypeNamed: type.rawValue) }

  /// The same of a type by its name.
  static func number(ofTypeNamed name: String) -> UInt32? {
    typeNames.first { $0.value == name }?.key
  }

  /// What ggml calls the types that it numbers.
  private static let typeNames: [UInt32: String] = [
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1",
    10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS",
    17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S",
    23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 30: "BF16",
    34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4", 40: "NVFP4", 41: "Q1_0",
  ]
}
