import Tensors

/// llama.cpp's importance matrix: for each layer, the sums of the squares of what its input channels read.
///
/// Stored as GGUF: for a tensor `blk.0.attn_q.weight`, the sums as `blk.0.attn_q.weight.in_sum2` and the number of tokens as
/// `blk.0.attn_q.weight.counts`; for a stack of experts, matrices of a row for each. Source: llama.cpp's tools/imatrix.
public struct ImportanceMatrix: Hashable, Sendable {
  /// The sums of one layer.
  public struct Entry: Hashable, Sendable {
    /// For each input channel, the sum of x^2 over tokens; one expert after the other.
    public let sums: [Float]
    /// Tokens that each expert read, 0 or more; one number for any other layer.
    public let counts: [Int]

    /// - Precondition: there are counts, and equally many sums for each.
    public init(sums: [Float], counts: [Int]) {
      precondition(!counts.isEmpty && sums.count % counts.count == 0, "as many sums for each")
      self.sums = sums
      self.counts = counts
    }

    /// The sums of a layer that is no stack.
    public init(sums: [Float], tokens: Int) { self.init(sums: sums, counts: [tokens]) }

    /// Tokens that were read, by all experts.
    public var tokens: Int { counts.reduce(0, +) }

    /// The sums of an expert.
    public func sums(ofExpert expert: Int) -> ArraySlice<Float> {
      let columns = sums.count / counts.count
      return sums[expert * columns..<(expert + 1) * columns]
    }
  }

  /// By llama.cpp's name of the tensor, for example `blk.0.attn_q.weight`.
  public var entries: [String: Entry]
  /// The texts that it was made from.
  public var datasets: [String]
  /// Windows that were read, and tokens of each.
  public var chunkCount: Int
  public var chunkSize: Int

  private static let sumsSuffix = ".in_sum2"
  private static let countsSuffix = ".counts"
  private static let type = "imatrix"

  public init(entries: [String: Entry], datasets: [String], chunkCount: Int, chunkSize: Int) {
    self.entries = entries
    self.datasets = datasets
    self.chunkCount = chunkCount
    self.chunkSize = chunkSize
  }

  /// Reads the file at `path`.
  ///
  /// - Throws: ``CheckpointError`` when it is no imatrix, or damaged.
  public init(path: String) throws(CheckpointError) {
    let storage: ByteStorage
    do { storage = try ByteStorage(mapping: path) } catch { throw CheckpointError(error) }
    guard GGUFHeader.isGGUF(storage) else {
      throw CheckpointError(
        file: path, reason: "is not a GGUF file",
        hint: "an imatrix in the older .dat form is converted by llama-imatrix --in-file")
    }
    let header = try GGUFHeader(storage, file: path)
    guard try header.text("general.type") == Self.type else {
      throw header.error("is a GGUF file, but not an imatrix", hint: "make one with llama-imatrix")
    }
    entries = try Self.entries(of: header)
    datasets = try header.strings("imatrix.datasets")
    chunkCount = try header.size("imatrix.chunk_count", limit: .max)
    chunkSize = try header.size("imatrix.chunk_size", limit: .max)
    if let damage = storage.damage { throw CheckpointError(damage) }
  }

  /// Writes it so that the file at `path` is complete at any time, or as it was before.
  ///
  /// - Throws: ``CheckpointError`` when it cannot be written.
  public func write(to path: String) throws(CheckpointError) {
    try file.write(tensors.map(\.values.littleEndianBytes), to: path)
  }

  /// The whole file.
  public var bytes: [UInt8] { file.bytes(tensors.map(\.values.littleEndianBytes)) }

  /// Sums and counts by the name of the layer.
  private var tensors: [(name: String, rows: Int, values: [Float])] {
    entries.sorted { $0.key < $1.key }.flatMap { name, entry in
      [
        (name + Self.sumsSuffix, entry.counts.count, entry.sums),
        (name + Self.countsSuffix, entry.counts.count, entry.counts.map { Float($0) }),
      ]
    }
  }

  private var file: GGUFFile {
    GGUFFile(
      metadata: [
        GGUFFile.Field("general.type", .string(Self.type)),
        GGUFFile.Field("imatrix.datasets", .strings(datasets)),
        GGUFFile.Field("imatrix.chunk_count", .uint32(UInt32(clamping: chunkCount))),
        GGUFFile.Field("imatrix.chunk_size", .uint32(UInt32(clamping: chunkSize))),
      ],
      tensors: tensors.map { name, rows, values in
        let columns = values.count / rows
        return GGUFFile.Tensor(
          name: name, type: .float32, shape: rows == 1 ? [columns] : [rows, columns])
      })
  }

  private static func entries(of header: GGUFHeader) throws(CheckpointError) -> [String: Entry] {
    var parts: [String: (sums: [Float]?, counts: [Float]?)] = [:]
    for tensor in header.entries {
      let values = try self.values(of: tensor, in: header)
      if tensor.name.hasSuffix(sumsSuffix) {
        parts[String(tensor.name.dropLast(sumsSuffix.count)), default: (nil, nil)].sums = values
      } else if tensor.name.hasSuffix(countsSuffix) {
        parts[String(tensor.name.dropLast(countsSuffix.count)), default: (nil, nil)].counts = values
      } else {
        throw damaged(header, tensor.name, "is neither a sum nor a count of an imatrix")
      }
    }
    guard !parts.isEmpty else { throw header.error("the imatrix holds no tensor") }
    var entries: [String: Entry] = [:]
    for (name, part) in parts {
      guard let sums = part.sums, let counts = part.counts else {
        throw damaged(
          header, name, "has \(part.sums == nil ? "counts without sums" : "sums without counts")")
      }
      guard sums.count % counts.count == 0 else {
        throw damaged(header, name, "has \(sums.count) sums for \(counts.count) experts")
      }
      let whole = counts.compactMap { Int(exactly: $0) }
      guard whole.count == counts.count, whole.allSatisfy({ $0 >= 0 }),
        whole.contains(where: { $0 > 0 })
      else {
        let listed = counts.prefix(8).map { "\($0)" }.joined(separator: ", ")
        throw damaged(header, name, "was made from \(listed) tokens")
      }
      guard sums.allSatisfy({ $0.isFinite && $0 >= 0 }) else {
        throw damaged(header, name, "has a sum of squares that is negative or not finite")
      }
      entries[name] = Entry(sums: sums, counts: whole)
    }
    return entries
  }

  private static func values(
    of tensor: TensorEntry, in header: GGUFHeader
  ) throws(CheckpointError) -> [Float] {
    guard tensor.type == .float32 else {
      throw damaged(header, tensor.name, "has the type \(tensor.typeName), not F32")
    }
    let matrix = StoredMatrix(
      storage: header.storage, offset: tensor.offset, type: .float32, rows: 1,
      columns: tensor.shape.reduce(1, *))
    guard let matrix else { throw damaged(header, tensor.name, "is empty") }
    return matrix.decoded().values
  }

  private static func damaged(
    _ header: GGUFHeader, _ tensor: String, _ reason: String
  ) -> CheckpointError {
    CheckpointError(
      file: header.file, tensor: tensor, reason: reason, hint: "make the imatrix again")
  }
}
