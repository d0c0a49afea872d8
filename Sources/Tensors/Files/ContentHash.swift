import CKernels

/// A hash of contents, XXH64, of bytes that come in any number of parts.
///
/// It tells contents apart that differ by accident or by an edit; it does not protect against forgery.
public struct ContentHash: Sendable {
  private var state: vk_hash

  /// The hash of nothing.
  public init(seed: UInt64 = 0) { state = vk_hash_begin(seed) }

  /// The hash of some bytes.
  public init(of bytes: some Collection<UInt8>) {
    self.init()
    add(bytes)
  }

  public mutating func add(_ bytes: some Collection<UInt8>) {
    let isAdded: Void? = bytes.withContiguousStorageIfAvailable {
      vk_hash_add(&state, $0.baseAddress, $0.count)
    }
    if isAdded == nil { add(Array(bytes)) }
  }

  /// Adds a text and where it ends.
  public mutating func add(_ text: String) { add(Array(text.utf8) + [0]) }

  public mutating func add(_ number: Int) { add([Int64(number)].littleEndianBytes) }

  /// Adds the bytes of a part of a storage.
  ///
  /// - Precondition: `range` lies within it.
  public mutating func add(_ storage: ByteStorage, in range: Range<Int>) {
    storage.withBytes(in: range) { span in
      span.withUnsafeBytes { vk_hash_add(&state, $0.baseAddress, $0.count) }
    }
  }

  /// Bytes that were added.
  public var count: Int { Int(clamping: state.count) }

  /// The hash of all that was added.
  public var value: UInt64 { withUnsafePointer(to: state) { vk_hash_value($0) } }

  /// ``value`` as 16 hexadecimal digits.
  public var digits: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
