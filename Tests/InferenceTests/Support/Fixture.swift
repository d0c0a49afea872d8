import Foundation

/// Files of Tests/InferenceTests/Fixtures.
enum Fixture {
  static func url(_ name: String) -> URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/\(name)")
  }
}

extension Data {
  /// The bytes as little-endian single-precision values.
  var floats: [Float] {
    stride(from: 0, to: count / 4 * 4, by: 4).map { start in
      let bits = (0..<4).reduce(UInt32(0)) {
        $0 | UInt32(self[startIndex + start + $1]) << ($1 * 8)
      }
      return Float(bitPattern: bits)
    }
  }
}
