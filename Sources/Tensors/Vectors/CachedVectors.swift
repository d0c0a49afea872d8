import CKernels

/// The keys or the values of consecutive positions, in the form in which they are cached.
public struct CachedVectors: Sendable {
  public let type: CacheType
  /// Heads of a position.
  public let heads: Int
  /// Values of a head.
  public let headSize: Int
  /// Positions that are held.
  public private(set) var count = 0
  /// Positions x heads x ``headBytes``.
  private(set) var bytes: [UInt8] = []

  /// Those of no position.
  ///
  /// - Precondition: there are heads, and they have values.
  public init(type: CacheType, heads: Int, headSize: Int) {
    precondition(heads > 0 && headSize > 0, "keys and values have heads")
    (self.type, self.heads, self.headSize) = (type, heads, headSize)
  }

  /// Values of one position.
  public var width: Int { heads * headSize }

  /// Bytes of one head at one position.
  var headBytes: Int { type.bytes(ofHead: headSize) }

  /// Bytes of one position.
  var stride: Int { heads * headBytes }

  /// Bytes that all positions take.
  public var byteCount: Int { bytes.count }

  /// Rounds and appends some columns of each row, a position each.
  ///
  /// Finite values stay finite, and others do not become so.
  /// - Precondition: from `column` on there are ``width`` columns.
  public mutating func append(_ rows: Matrix, column: Int) {
    precondition(column >= 0 && column + width <= rows.columns, "a position has all heads")
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: rows.rows * stride))
    count += rows.rows
    let stride = stride
    bytes.withUnsafeMutableBufferPointer { bytes in
      rows.values.withUnsafeBufferPointer { values in
        guard let to = bytes.baseAddress, let from = values.baseAddress else { return }
        for row in 0..<rows.rows {
          vk_cache_write(
            Kernels.level, type.kernelType, from + row * rows.columns + column, heads, headSize,
            to + start + row * stride)
        }
      }
    }
  }

  /// Forgets all positions from `length` on, if there are any.
  public mutating func truncate(to length: Int) {
    guard length < count else { return }
    count = max(length, 0)
    bytes.removeLast(bytes.count - count * stride)
  }

  /// All values as attention reads them: positions x ``width``.
  public var values: [Float] {
    [Float](unsafeUninitializedCapacity: count * width) { buffer, initialized in
      bytes.withUnsafeBufferPointer { bytes in
        guard let to = buffer.baseAddress, let from = bytes.baseAddress else { return }
        // Heads of all positions lie one after the other, as if each were a position.
        vk_cache_read(
          Kernels.level, type.kernelType, from, headBytes, count * heads, headSize, to)
      }
      initialized = count * width
    }
  }
}
