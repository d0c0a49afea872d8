import Tensors

/// What tells a checkpoint's contents from those of another, or from what they were.
extension Checkpoint {
  /// A hash of all that the files hold of a layer: what their headers say of its tensors, and every byte.
  ///
  /// - Returns: 16 hexadecimal digits; nil for a layer that was made of others, whose source is the whole checkpoint.
  public func contentDigest(ofLayer name: String) -> String? {
    guard let names = layerTensors[name], !names.isEmpty else { return nil }
    var hash = ContentHash()
    for case let entry? in names.map({ table[$0] }) { hash.add(entry, of: table) }
    return hash.digits
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
  /// Pages of each tensor that a fingerprint is of, beyond that.
  private static let pageCount = 16

  /// SHA-256 over what the headers say of all tensors, and over hashes of what they hold: of every byte where all tensors
  /// take at most 64 MiB; or else of 16 pages of 4 KiB of each, spread evenly from its first to its last.
  var fingerprint: String {
    let isWhole = byteCount <= Self.wholeLimit
    let lines = entries.map { entry in
      let hash = isWhole ? wholeHash(of: entry) : sampledHash(of: entry)
      storages[entry.file].releasePages(in: entry.offset..<entry.offset + entry.byteCount)
      return "\(entry.header)\t\(hash.digits)\n"
    }
    return SHA256.hexDigest(Array(lines.sorted().joined().utf8))
  }

  private func wholeHash(of entry: TensorEntry) -> ContentHash {
    var hash = ContentHash()
    hash.add(storages[entry.file], in: entry.offset..<entry.offset + entry.byteCount)
    return hash
  }

  private func sampledHash(of entry: TensorEntry) -> ContentHash {
    guard entry.byteCount > Self.pageCount * Self.pageLength else { return wholeHash(of: entry) }
    let storage = storages[entry.file]
    let farthest = entry.byteCount - Self.pageLength
    return storage.sampling(in: entry.offset..<entry.offset + entry.byteCount) {
      var hash = ContentHash()
      for page in 0..<Self.pageCount {
        let place = entry.offset + farthest / (Self.pageCount - 1) * page
        hash.add(storage, in: place..<place + Self.pageLength)
      }
      return hash
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
