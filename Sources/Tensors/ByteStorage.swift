import Glibc

/// Why a file could not be mapped or written.
public struct StorageError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file's path as it was given.
  public let path: String
  /// What went wrong, in one sentence without the path.
  public let reason: String

  public var description: String { "\(path): \(reason)" }

  public init(path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  /// What the system call that just failed says.
  static func ofSystem(_ path: String) -> StorageError {
    StorageError(path: path, reason: String(cString: strerror(errno)))
  }
}

/// Read-only bytes: a file mapped into memory, or bytes that this object owns.
///
/// A mapped file costs address space, not memory: pages are read when they are touched.
public final class ByteStorage: @unchecked Sendable {
  // Unchecked: the bytes are immutable from init to deinit.
  private let base: UnsafeRawPointer?
  private let isMapped: Bool
  /// Number of bytes.
  public let count: Int

  /// Maps the file at `path` for reading.
  ///
  /// - Throws: ``StorageError`` when it cannot be opened, is no regular file, or cannot be mapped.
  public init(mapping path: String) throws(StorageError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw StorageError.ofSystem(path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw StorageError.ofSystem(path)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw StorageError(path: path, reason: "is not a regular file")
    }
    count = Int(status.st_size)
    isMapped = count > 0
    guard count > 0 else {
      base = nil
      return
    }
    let address = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let address = address, address != MAP_FAILED else {
      throw StorageError.ofSystem(path)
    }
    base = UnsafeRawPointer(address)
  }

  /// Copies `bytes` into memory of its own.
  public init(copying bytes: [UInt8]) {
    count = bytes.count
    let copy = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 64)
    bytes.withUnsafeBytes { source in
      if let start = source.baseAddress { copy.copyMemory(from: start, byteCount: source.count) }
    }
    isMapped = false
    base = UnsafeRawPointer(copy)
  }

  deinit {
    guard let base = base else { return }
    if isMapped {
      munmap(UnsafeMutableRawPointer(mutating: base), count)
    } else {
      base.deallocate()
    }
  }

  /// Calls `body` with the bytes in `range`.
  ///
  /// - Precondition: `range` lies within `0..<count`.
  public func withBytes<R, E: Error>(
    in range: Range<Int>, _ body: (RawSpan) throws(E) -> R
  ) throws(E) -> R {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "range outside the storage")
    let part = UnsafeRawBufferPointer(
      start: base.map { $0 + range.lowerBound }, count: range.count)
    return try body(part.bytes)
  }

  /// A copy of the bytes in `range`.
  ///
  /// - Precondition: `range` lies within `0..<count`.
  public func bytes(in range: Range<Int>) -> [UInt8] {
    withBytes(in: range) { bytes in bytes.withUnsafeBytes { Array($0) } }
  }

  /// The bytes in `range` as little-endian integers.
  ///
  /// - Precondition: `range` lies within `0..<count` and holds whole integers.
  public func integers<Element: FixedWidthInteger>(
    in range: Range<Int>, as type: Element.Type
  ) -> [Element] {
    let size = MemoryLayout<Element>.size
    precondition(range.count % size == 0, "whole integers")
    return withBytes(in: range) { span in
      [Element](unsafeUninitializedCapacity: range.count / size) { elements, initialized in
        span.withUnsafeBytes { UnsafeMutableRawBufferPointer(elements).copyMemory(from: $0) }
        for index in elements.indices { elements[index] = Element(littleEndian: elements[index]) }
        initialized = range.count / size
      }
    }
  }

  /// Lets go of the memory that holds pages of a mapped file in `range`; they are read again when touched.
  ///
  /// - Precondition: `range` lies within `0..<count`.
  public func releasePages(in range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "range outside the storage")
    guard isMapped, let base = base else { return }
    // A mapping begins with a page; pages that the range only touches may be in use by its neighbours.
    let page = Int(getpagesize())
    let first = (range.lowerBound + page - 1) / page * page
    let end = range.upperBound == count ? count : range.upperBound / page * page
    guard first < end else { return }
    madvise(UnsafeMutableRawPointer(mutating: base + first), end - first, MADV_DONTNEED)
  }

  /// The little-endian unsigned integer in the `width` bytes at `offset`.
  ///
  /// - Precondition: `width` is at most 8, and the bytes lie within `0..<count`.
  public func integer(at offset: Int, width: Int) -> UInt64 {
    precondition(width >= 0 && width <= 8, "an integer takes at most 8 bytes")
    return withBytes(in: offset..<offset + width) { bytes in
      bytes.withUnsafeBytes { $0.reversed().reduce(0) { $0 << 8 | UInt64($1) } }
    }
  }
}
