import Tensors

/// What tells a checkpoint's contents from those of another, or from what they were.
extension Checkpoint {
  /// A hash of all that the files hold of a layer: what their headers say of its tensors, and every byte.
  ///
  /// - Returns: 16 hexadecimal digits; nil for a layer that was made of others, whose source is the whole checkpoint.
  public func contentDigest(ofLayer name: String) -> String? {
    var reading = layerReading(of: name)
    return reading?.finish()
  }

  /// Begins ``contentDigest(ofLayer:)``; nil for a layer that was made of others.
  public func layerReading(of name: String) -> LayerReading? {
    guard let names = layerTensors[name], !names.isEmpty else { return nil }
    return LayerReading(names.compactMap { table[$0] }, of: table)
  }

  /// Begins a hash of every byte of every tensor.
  public func contentReading() -> ContentReading { ContentReading(table) }

  /// That a file of the checkpoint is no longer what it was when it was opened; nil while all are.
  public var change: CheckpointError? {
    table.storages.lazy.compactMap(\.change).first.map { CheckpointError($0) }
  }

  /// That bytes of a file could not be read since it was opened; nil while all were.
  public var damage: CheckpointError? {
    table.storages.lazy.compactMap(\.damage).first.map { CheckpointError($0) }
  }
}

/// A hash of all tensors of a checkpoint, on its way.
public struct ContentReading: Sendable {
  /// Bytes that one step reads.
  private static let stepLength = 64 << 20

  private let table: TensorTable
  private var hash = ContentHash()
  private var next = 0

  fileprivate init(_ table: TensorTable) { self.table = table }

  /// Reads on for a while.
  ///
  /// - Returns: 16 hexadecimal digits once all is read; nil until then.
  public mutating func step() -> String? {
    var left = Self.stepLength
    while next < table.entries.count {
      guard left > 0 else { return nil }
      hash.add(table.entries[next], of: table)
      left -= table.entries[next].byteCount
      next += 1
    }
    return hash.digits
  }
}

/// A hash of all that the files hold of a layer, on its way.
public struct LayerReading: Sendable {
  /// Bytes after which memory is let go.
  private static let releaseLength = 16 << 20

  private let table: TensorTable
  private var entries: ArraySlice<TensorEntry>
  private var hash = ContentHash()
  /// Bytes of the first entry that are read, and those that no memory is kept of.
  private var (position, released) = (0, 0)

  fileprivate init(_ entries: [TensorEntry], of table: TensorTable) {
    self.table = table
    self.entries = entries[...]
  }

  /// Reads on; what was read is let go.
  ///
  /// - Parameter bytes: most of them to read.
  public mutating func step(bytes: Int = .max) {
    var left = bytes
    while left > 0, let entry = entries.first {
      if position == 0 { hash.add(entry.header) }
      let storage = table.storages[entry.file]
      let count = min(left, entry.byteCount - position)
      let start = entry.offset + position
      hash.add(storage, in: start..<start + count)
      position += count
      left -= count
      if position == entry.byteCount {
        storage.releasePages(in: entry.offset..<entry.offset + entry.byteCount)
        entries.removeFirst()
        (position, released) = (0, 0)
      } else if position - released >= Self.releaseLength {
        storage.releasePages(in: entry.offset + released..<entry.offset + position)
        released = position
      }
    }
  }

  /// Reads the rest.
  ///
  /// - Returns: 16 hexadecimal digits.
  public mutating func finish() -> String {
    step()
    return hash.digits
  }
}

extension ContentHash {
  /// Adds a tensor: its name, type and shape, and its bytes, of which no memory is kept.
  fileprivate mutating func add(_ entry: TensorEntry, of table: TensorTable) {
    let (storage, range) = (
      table.storages[entry.file], entry.offset..<entry.offset + entry.byteCount
    )
    add(entry.header)
    add(storage, in: range)
    storage.releasePages(in: range)
  }
}

extension TensorTable {
  /// Bytes of tensors up to which a fingerprint is of every byte.
  private static let wholeLimit = 64 << 20
  private static let pageLength = 4096
  /// Pages of each tensor that a fingerprint is of, beyond that; fewer where there are very many tensors.
  private static let pageCount = 16
  /// Most pages of all tensors, but for one of each.
  private static let pageLimit = 16 * 2048

  /// SHA-256 over what the headers say of all tensors, and over hashes of what they hold: of every byte where all tensors
  /// take at most 64 MiB; or else of 16 pages of 4 KiB of each, spread evenly from its first to its last.
  ///
  /// Of more than 2048 tensors, such as a mixture has whose experts are stored one by one, it is of fewer pages of each.
  var fingerprint: String {
    let pages = min(Self.pageCount, max(1, Self.pageLimit / max(entries.count, 1)))
    let lines = Dictionary(grouping: entries, by: \.file).flatMap { file, entries in
      byteCount <= Self.wholeLimit
        ? entries.map { line(of: $0, hash: wholeHash(of: $0)) }
        : storages[file].sampling { read in
          entries.map { entry in
            var hash = ContentHash()
            for part in Self.sample(of: entry, pages: pages) { read(part) { hash.add($0) } }
            return line(of: entry, hash: hash)
          }
        }
    }
    return SHA256.hexDigest(Array(lines.sorted().joined().utf8))
  }

  private func line(of entry: TensorEntry, hash: ContentHash) -> String {
    "\(entry.header)\t\(hash.digits)\n"
  }

  private func wholeHash(of entry: TensorEntry) -> ContentHash {
    var hash = ContentHash()
    let range = entry.offset..<entry.offset + entry.byteCount
    hash.add(storages[entry.file], in: range)
    storages[entry.file].releasePages(in: range)
    return hash
  }

  /// The parts of a tensor that are hashed: pages from its first to its last, or all of a small one.
  private static func sample(of entry: TensorEntry, pages: Int) -> [Range<Int>] {
    let start = entry.offset
    guard entry.byteCount > pages * pageLength else {
      return [start..<start + entry.byteCount]
    }
    let farthest = entry.byteCount - pageLength
    // A single page is from the middle.
    guard pages > 1 else { return [start + farthest / 2..<start + farthest / 2 + pageLength] }
    return (0..<pages).map { page in
      let place = start + farthest / (pages - 1) * page
      return place..<place + pageLength
    }
  }

  /// What fingerprints of plans, snapshots and sensitivity files were before they told contents apart.
  var headerFingerprint: String {
    let lines = entries.map { "\($0.header)\n" }
    return SHA256.hexDigest(Array(lines.sorted().joined().utf8))
  }
}

extension TensorEntry {
  fileprivate var header: String {
    let shape = shape.map(String.init).joined(separator: "x")
    return "\(name)\t\(typeName)\t\(shape)\t\(file)\t\(offset)"
  }
}
