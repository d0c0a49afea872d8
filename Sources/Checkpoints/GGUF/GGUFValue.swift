/// The types that GGUF's metadata values have, by their numbers in the file.
enum GGUFValueType: UInt32, Sendable {
  case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, array
  case uint64, int64, float64

  /// Bytes of a value; nil for strings and arrays, which say their own length.
  var width: Int? {
    switch self {
    case .uint8, .int8, .bool: 1
    case .uint16, .int16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    case .string, .array: nil
    }
  }
}

/// A metadata value; strings and arrays stay in the file until they are asked for.
enum GGUFValue: Hashable, Sendable {
  case integer(Int)
  /// An unsigned number that does not fit an `Int`.
  case hugeInteger(UInt64)
  case number(Double)
  case bool(Bool)
  /// The bytes of the text in the file.
  case string(Range<Int>)
  /// The elements' type and number, and their bytes in the file.
  case array(GGUFValueType, count: Int, Range<Int>)
}
