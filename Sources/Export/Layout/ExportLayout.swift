/// A tensor's place in a file that is to be written.
public struct TensorSlot: Codable, Hashable, Sendable {
  /// As the file names it, for example `model.layers.0.mlp.up_proj.weight_packed`.
  public let name: String
  /// The type as the format names it: `I32`, `BF16`, `Q4_K`.
  public let type: String
  /// Row-major: the last dimension's elements are neighbours.
  public let shape: [Int]
  /// From the beginning of the file, in bytes.
  public let offset: Int
  public let byteCount: Int

  public init(name: String, type: String, shape: [Int], offset: Int, byteCount: Int) {
    self.name = name
    self.type = type
    self.shape = shape
    self.offset = offset
    self.byteCount = byteCount
  }
}

/// A file that is to be written, known to the byte but for its tensors' elements.
public struct FileLayout: Codable, Hashable, Sendable {
  /// Relative to the export's directory.
  public let name: String
  /// All bytes before the tensors'; the whole file where there are no tensors.
  public let header: [UInt8]
  /// By rising offset; what lies between them is zeros.
  public let tensors: [TensorSlot]
  /// Of the whole file.
  public let byteCount: Int

  public init(name: String, header: [UInt8], tensors: [TensorSlot], byteCount: Int) {
    self.name = name
    self.header = header
    self.tensors = tensors
    self.byteCount = byteCount
  }

  /// A file without tensors.
  public init(name: String, contents: [UInt8]) {
    self.init(name: name, header: contents, tensors: [], byteCount: contents.count)
  }
}

extension FileLayout {
  /// Where zeros align what follows, or end the file.
  var gaps: [Range<Int>] {
    let starts = [header.count] + tensors.map { $0.offset + $0.byteCount }
    let ends = tensors.map(\.offset) + [byteCount]
    return zip(starts, ends).filter { $0 < $1 }.map { $0..<$1 }
  }
}

/// Everything that an export writes, known from shapes, schemes and metadata before any layer is compressed.
///
/// That is what makes predicted bytes those written, headers too.
public struct ExportLayout: Codable, Hashable, Sendable {
  public let files: [FileLayout]
  /// Files that are copied from the checkpoint as they are: names relative to both directories.
  public let copies: [FileCopy]

  public init(files: [FileLayout], copies: [FileCopy] = []) {
    self.files = files
    self.copies = copies
  }

  /// Bytes of all files.
  public var byteCount: Int {
    files.reduce(0) { $0 + $1.byteCount } + copies.reduce(0) { $0 + $1.byteCount }
  }
}

/// A file that goes into the export as it is.
public struct FileCopy: Codable, Hashable, Sendable {
  /// Relative to the export's directory.
  public let name: String
  /// The file to copy.
  public let source: String
  public let byteCount: Int

  public init(name: String, source: String, byteCount: Int) {
    self.name = name
    self.source = source
    self.byteCount = byteCount
  }
}
