import CKernels

/// The order in which a stored matrix keeps its rows.
public enum RowOrder: Codable, Hashable, Sendable {
  /// As the model's layer has them.
  case plain
  /// As llama.cpp stores q and k: within each head, the two halves that RoPE rotates are interleaved.
  case interleavedHalves(heads: Int)
  /// As llama.cpp stores Qwen 3.5's value heads from row `first` on: the first ones of all groups, then the second ones, and so on,
  /// where the layer has group after group.
  case tiledHeads(first: Int, tiling: HeadTiling)

  /// The stored row that holds row `row` of the layer.
  func storedRow(_ row: Int, of rows: Int) -> Int {
    switch self {
    case .plain: return row
    case .interleavedHalves(let heads):
      let headSize = rows / heads
      let (head, place) = row.quotientAndRemainder(dividingBy: headSize)
      let (half, pair) = place.quotientAndRemainder(dividingBy: headSize / 2)
      return head * headSize + 2 * pair + half
    case .tiledHeads(let first, let tiling):
      return row < first ? row : first + tiling.tiled(row - first, of: rows - first)
    }
  }

  /// The row of the layer that the stored row `stored` holds.
  func row(stored: Int, of rows: Int) -> Int {
    switch self {
    case .plain: return stored
    case .interleavedHalves(let heads):
      let headSize = rows / heads
      let (head, place) = stored.quotientAndRemainder(dividingBy: headSize)
      let (pair, half) = place.quotientAndRemainder(dividingBy: 2)
      return head * headSize + half * (headSize / 2) + pair
    case .tiledHeads(let first, let tiling):
      return stored < first ? stored : first + tiling.grouped(stored - first, of: rows - first)
    }
  }

  /// Whether a matrix of so many rows can be stored in this order.
  func fits(rows: Int) -> Bool {
    switch self {
    case .plain: true
    case .interleavedHalves(let heads):
      heads > 0 && rows % heads == 0 && (rows / heads) % 2 == 0
    case .tiledHeads(let first, let tiling):
      first >= 0 && rows > first && tiling.groups > 0 && tiling.heads > 0
        && (rows - first) % (tiling.groups * tiling.heads) == 0
    }
  }
}

/// A weight matrix where it lies on disk: decoded to single precision row by row, on demand.
public struct StoredMatrix: Sendable {
  public let storage: ByteStorage
  /// Byte offset of the first element in `storage`.
  public let offset: Int
  public let type: ElementType
  public let rows: Int
  public let columns: Int
  public let rowOrder: RowOrder
  /// The same weights in the form in which they multiply, if that is held beside the file's.
  private(set) var tiles: Tiles?

  /// Bytes of one row.
  public let bytesPerRow: Int
  /// Bytes of the whole matrix.
  public var byteCount: Int { rows * bytesPerRow }

  /// A view of `rows * columns` elements at `offset`; nil when they do not fit there.
  ///
  /// Rows must be whole blocks, the type decodable, and heads must divide the rows evenly.
  public init?(
    storage: ByteStorage, offset: Int, type: ElementType, rows: Int, columns: Int,
    rowOrder: RowOrder = .plain
  ) {
    guard type.isDecodable, rows > 0, columns > 0, offset >= 0,
      let rowBytes = type.byteCount(elements: columns)
    else { return nil }
    let (total, overflow) = rowBytes.multipliedReportingOverflow(by: rows)
    guard !overflow, offset <= storage.count, total <= storage.count - offset else { return nil }
    guard rowOrder.fits(rows: rows) else { return nil }
    self.storage = storage
    self.offset = offset
    self.type = type
    self.rows = rows
    self.columns = columns
    self.rowOrder = rowOrder
    bytesPerRow = rowBytes
  }

  /// A matrix in memory of its own.
  ///
  /// - Precondition: the bytes are those of `rows` rows, which are whole blocks of a decodable type.
  public init(copying bytes: [UInt8], type: ElementType, rows: Int, columns: Int) {
    let storage = ByteStorage(copying: bytes)
    guard
      let matrix = StoredMatrix(
        storage: storage, offset: 0, type: type, rows: rows, columns: columns),
      matrix.byteCount == bytes.count
    else { preconditionFailure("a matrix is its rows' bytes") }
    self = matrix
  }

  /// The same matrix with its blocks held in memory too, in the form in which they multiply.
  ///
  /// - Parameter pool: The threads that share the work.
  /// - Returns: The matrix itself where there is no such form, or not enough memory: the file's pages can be read again,
  ///   a copy cannot.
  public func tiled(on pool: WorkerPool? = nil) -> StoredMatrix {
    guard tiles == nil, Self.hasMemory(for: byteCount) else { return self }
    var matrix = self
    matrix.tiles = Tiles(blocksOf: self, on: pool)?.withoutZeros(on: pool)
    return matrix
  }

  /// Whether a copy leaves others as much memory as several like it take.
  private static func hasMemory(for bytes: Int) -> Bool {
    SystemMemory.available.map { bytes <= $0 / 4 } ?? true
  }

  /// A copy of all stored bytes.
  public var bytes: [UInt8] { storage.bytes(in: offset..<offset + byteCount) }

  /// The rows of `range`, decoded.
  ///
  /// - Precondition: `range` lies within `0..<rows`.
  public func decoded(rows range: Range<Int>) -> Matrix {
    decoded(rows: Array(range))
  }

  /// The given rows in the given order, decoded.
  ///
  /// - Precondition: every index lies within `0..<rows`.
  public func decoded(rows indices: [Int]) -> Matrix {
    let values = [Float](unsafeUninitializedCapacity: indices.count * columns) {
      buffer, initialized in
      for (place, row) in indices.enumerated() {
        let part = buffer.extracting(place * columns..<(place + 1) * columns)
        if let start = part.baseAddress { decode(row: row, into: start) }
      }
      initialized = indices.count * columns
    }
    return Matrix(rows: indices.count, columns: columns, values: values)
  }

  /// The whole matrix, decoded: `rows * columns * 4` bytes of memory.
  public func decoded() -> Matrix { decoded(rows: 0..<rows) }

  func decode(rows range: Range<Int>, into destination: UnsafeMutablePointer<Float>) {
    for (place, row) in range.enumerated() {
      decode(row: row, into: destination + place * columns)
    }
  }

  private func decode(row: Int, into destination: UnsafeMutablePointer<Float>) {
    withBytes(ofRow: row) { Self.decode($0, type, destination, columns) }
  }

  /// Calls `body` with the stored bytes of a row of the layer.
  ///
  /// - Precondition: `row` lies within `0..<rows`.
  func withBytes(ofRow row: Int, _ body: (UnsafePointer<UInt8>) -> Void) {
    precondition(row >= 0 && row < rows, "row outside the matrix")
    let start = offset + rowOrder.storedRow(row, of: rows) * bytesPerRow
    storage.withBytes(in: start..<start + bytesPerRow) { bytes in
      bytes.withUnsafeBytes { source in
        if let start = source.bindMemory(to: UInt8.self).baseAddress { body(start) }
      }
    }
  }

  private static func decode(
    _ bytes: UnsafePointer<UInt8>, _ type: ElementType, _ destination: UnsafeMutablePointer<Float>,
    _ count: Int
  ) {
    let format = type.format
    switch format.decoding {
    case .float32:
      UnsafeMutableRawPointer(destination).copyMemory(from: bytes, byteCount: count * 4)
    case .float16: vk_f16_to_f32(Kernels.level, bytes, destination, count)
    case .bfloat16: vk_bf16_to_f32(Kernels.level, bytes, destination, count)
    case .blocks(let kernel):
      vk_decode_blocks(Kernels.level, kernel, bytes, destination, count / format.blockSize)
    case .none:
      preconditionFailure("the initialiser admits decodable types only")
    }
  }
}
