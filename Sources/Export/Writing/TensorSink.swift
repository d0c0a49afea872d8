import Tensors

/// A tensor's place in the files, which takes its bytes in order on any thread.
struct TensorSink: Sendable {
  /// Bytes after which the disk is told to begin, so that little is left to wait for in the end.
  private static let flushLength = 4 << 20

  let name: String
  private let file: PositionedFile
  private let offset: Int
  private let byteCount: Int
  /// Of what it has taken.
  private(set) var hash = ContentHash()
  private var flushed = 0

  fileprivate init(_ slot: TensorSlot, in file: PositionedFile) {
    name = slot.name
    offset = slot.offset
    byteCount = slot.byteCount
    self.file = file
  }

  var isFull: Bool { hash.count == byteCount }

  /// Takes the next bytes.
  ///
  /// - Precondition: the tensor has room for them.
  mutating func write(_ bytes: [UInt8]) throws(ExportError) {
    let start = hash.count
    precondition(bytes.count <= byteCount - start, "no more bytes than the tensor has")
    do throws(StorageError) {
      try file.write(bytes[...], at: offset + start)
    } catch {
      throw ExportError(error, tensor: name)
    }
    hash.add(bytes)
    if isFull || hash.count - flushed >= Self.flushLength {
      file.flush(offset + flushed..<offset + hash.count)
      flushed = hash.count
    }
  }
}

extension ExportWriter {
  /// The places of tensors that are written by sinks.
  ///
  /// - Throws: ``ExportError`` when one has no place, or somebody changes the files.
  mutating func sinks(for tensors: [String]) throws(ExportError) -> [TensorSink] {
    var sinks: [TensorSink] = []
    for name in tensors {
      guard let (file, slot) = slots[name] else { throw .noPlace(for: name) }
      do throws(StorageError) {
        sinks.append(TensorSink(slot, in: try opened(file)))
      } catch {
        throw ExportError(error, tensor: name)
      }
    }
    return sinks
  }

  /// Notes that a layer was written by sinks.
  ///
  /// That need not have reached the disk: whoever goes on from here checks it, and what is lost is soon made again.
  ///
  /// - Parameters:
  ///   - layer: its name.
  ///   - sinks: all of its tensors', full.
  ///   - source: a hash of what it was made from.
  /// - Throws: ``ExportError`` when that cannot be noted.
  mutating func receive(
    _ layer: String, _ sinks: [TensorSink], source: String
  ) throws(ExportError) {
    precondition(sinks.allSatisfy(\.isFull), "complete layers are written")
    for sink in sinks {
      hashes[sink.name] = sink.hash
      written.insert(sink.name)
      writtenBytes += sink.hash.count
    }
    do throws(StorageError) {
      try journal.note(
        layer, source: source, tensors: sinks.map { ($0.name, $0.hash.digits) },
        synchronizes: false)
    } catch {
      throw ExportError(error)
    }
  }
}
