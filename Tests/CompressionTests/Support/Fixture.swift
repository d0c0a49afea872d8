import Foundation
import TestSupport

/// Reads a JSON file of this module's `Fixtures` folder.
func fixture<Contents: Decodable>(_ name: String, as type: Contents.Type) throws -> Contents {
  try Repository.fixture(name, of: "CompressionTests", as: type)
}

/// Numbers as base64 of their little-endian bytes.
struct PackedNumbers: Decodable {
  let bytes: [UInt8]

  init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    bytes = Data(base64Encoded: text).map { Array($0) } ?? []
  }

  var halves: [UInt16] {
    stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
  }

  var floats: [Float] {
    stride(from: 0, to: bytes.count, by: 4).map { start in
      Float(
        bitPattern: bytes[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) })
    }
  }
}
