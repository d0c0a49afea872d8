import Foundation

/// Numbers as base64 of their little-endian bytes.
public struct PackedNumbers: Decodable, Sendable {
  public let bytes: [UInt8]

  public init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    bytes = Data(base64Encoded: text).map { Array($0) } ?? []
  }

  /// 16-bit integers, or the bits of 16-bit floats.
  public var halves: [UInt16] {
    stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) | UInt16(bytes[$0 + 1]) << 8 }
  }

  /// Single-precision numbers.
  public var floats: [Float] {
    stride(from: 0, to: bytes.count, by: 4).map { start in
      Float(
        bitPattern: bytes[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) })
    }
  }
}
