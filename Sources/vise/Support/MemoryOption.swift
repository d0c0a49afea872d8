import ArgumentParser
import Compression

/// `--memory SIZE`.
enum MemoryOption {
  /// The bytes that an option says; nil where it was left out.
  static func bytes(_ text: String?) throws -> Int? {
    guard let text else { return nil }
    guard let bytes = SizeText.bytes(text) else {
      throw ValidationError("\(text) is no size; write 8GB, 512MiB or bytes")
    }
    return bytes
  }
}
