import CKernels
import Glibc

/// Read-only bytes: a file mapped into memory, or bytes that this object owns.
///
/// A mapped file costs address space, not memory: pages are read when they are touched. What can no longer be read, because the
/// file was cut off or its disk failed, reads as zeros, and ``damage`` says so from then on.
public final class ByteStorage: @unchecked Sendable {
  // Unchecked: the bytes are immutable from init to deinit, or the file is damaged.
  private let base: UnsafeRawPointer?
  private let mapping: OpaquePointer?
  /// The mapped file as it was named, and as it was then.
  let file: (path: String, stamp: FileStamp)?
  /// Number of bytes.
  public let count: Int

  /// Maps the file at `path` for reading.
  ///
  /// - Throws: ``StorageError`` when it cannot be opened, is no regular file, or cannot be mapped.
  public init(mapping path: String) throws(StorageError) {
    let descriptor = retrying { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
    guard descriptor >= 0 else { throw StorageError.ofSystem(path) }
    defer { close(descriptor) }
    let stamp = try FileStamp(of: descriptor, path: path)
    guard stamp.isRegular else { throw StorageError(path: path, reason: "is not a regular file") }
    file = (path, stamp)
    count = stamp.byteCount
    guard count > 0 else {
      (base, mapping) = (nil, nil)
      return
    }
    guard let mapping = vk_mapping_create(descriptor, count) else {
      throw StorageError.ofSystem(path)
    }
    self.mapping = mapping
    base = vk_mapping_bytes(mapping)
  }

  /// Copies `bytes` into memory of its own.
  public init(copying bytes: [UInt8]) {
    count = bytes.count
    let copy = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 64)
    bytes.withUnsafeBytes { source in
      if let start = source.baseAddress { copy.copyMemory(from: start, byteCount: source.count) }
    }
    (mapping, file) = (nil, nil)
    base = UnsafeRawPointer(copy)
  }

  deinit {
    if let mapping { vk_mapping_destroy(mapping) } else { base?.deallocate() }
  }

  /// Why what was read may be zeros in place of the file's bytes; nil while all of it was the file's.
  public var damage: StorageError? {
    guard let file, let mapping, vk_mapping_is_damaged(mapping) else { return nil }
    return StorageError(
      path: file.path,
      reason: "was cut off, or its disk failed, while it was read; open it again")
  }

  /// That the mapped file is no longer what it was when it was opened; nil while it is.
  ///
  /// A file of that name that took its place does not count: the mapping keeps the old one.
  public var change: StorageError? {
    guard let file, let now = try? FileStamp(of: file.path), now.isSameFile(as: file.stamp),
      now != file.stamp
    else { return damage }
    return StorageError(path: file.path, reason: "has changed since it was opened; open it again")
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
    guard mapping != nil, let base = base else { return }
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
