import Tensors
import Testing

/// The hash against values that the reference implementation gives (Python package `xxhash` 4.1, `xxh64_hexdigest`).
@Suite struct ContentHashTests {
  /// Bytes 0, 37, 74, … modulo 251, so many of them.
  private static func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8($0 * 37 % 251) }
  }

  @Test(
    arguments: [
      (0, 0, "ef46db3751d8e999"),
      (0, 1, "d5afba1336a3be4b"),
      (1, 0, "e934a84adb052768"),
      (3, 0, "f5cd310a927fde3e"),
      (4, 0, "a9c00ae8f9b200f0"),
      (7, 5, "4d27cca8a4e2f7d3"),
      (8, 0, "5e2b74326f2c94c1"),
      (15, 0, "eb017a7eadca841c"),
      (31, 0, "9416464fbabe7770"),
      (32, 0, "7762158a9eb86a10"),
      (33, 9, "b4e10b2ba69aca78"),
      (63, 0, "86d60ab7b1cf3e58"),
      (64, 0, "b281f3bc04c1f033"),
      (100, 9223372036854775808, "1113dd6fe07dcab9"),
      (1000, 0, "a480e6632ee5891c"),
      (4097, 123456789, "efb0c635f81cf5af"),
    ] as [(Int, UInt64, String)])
  func recordedValues(count: Int, seed: UInt64, expected: String) {
    let bytes = Self.bytes(count)
    var whole = ContentHash(seed: seed)
    whole.add(bytes)
    #expect(whole.digits == expected)
    #expect(whole.count == count)
    for length in [1, 7, 31, 32, 33, 100] {
      var parts = ContentHash(seed: seed)
      for start in stride(from: 0, to: count, by: length) {
        parts.add(bytes[start..<min(start + length, count)])
      }
      #expect(parts.digits == expected, "in parts of \(length)")
    }
  }

  @Test func storagesAreHashedAsTheirBytes() {
    let bytes = Self.bytes(1000)
    var hash = ContentHash()
    hash.add(ByteStorage(copying: bytes), in: 3..<950)
    #expect(hash.value == ContentHash(of: bytes[3..<950]).value)
  }
}
