import COpenBLAS

/// The sum of x x^T over vectors x.
///
/// The upper half is summed up in tiles that all threads share, in single precision: some hundred vectors at a time
/// keep it as exact as its use needs.
public struct GramSum: Sendable {
  /// Values of a vector.
  public let columns: Int
  /// Vectors added.
  public private(set) var count = 0
  /// `columns` x `columns`, of which the upper half is valid.
  private var sums: [Float]

  /// Rows and columns of a tile: small enough to share, large enough for OpenBLAS.
  private static let tile = 192

  /// The same of a tile that is mirrored.
  private static let mirrorTile = 64

  /// The sum over no vector.
  public init(columns: Int) {
    self.columns = columns
    sums = Array(repeating: 0, count: columns * columns)
  }

  /// Adds the vectors in the rows of `inputs`.
  ///
  /// - Precondition: the columns agree.
  public mutating func add(_ inputs: Matrix, on pool: WorkerPool) {
    precondition(inputs.columns == columns, "columns do not agree")
    guard inputs.rows > 0 else { return }
    count += inputs.rows
    inputs.values.withUnsafeBufferPointer { source in
      sums.withUnsafeMutableBufferPointer { destination in
        guard let x = source.baseAddress, let y = destination.baseAddress else { return }
        GramTiles(x: x, y: y, count: inputs.rows, columns: columns, tile: Self.tile).run(on: pool)
      }
    }
  }

  /// Adds another sum.
  ///
  /// - Precondition: the columns agree.
  public mutating func add(_ other: GramSum) {
    precondition(other.columns == columns, "columns do not agree")
    count += other.count
    for place in sums.indices { sums[place] += other.sums[place] }
  }

  /// The mean of x x^T, whole and symmetric; zeros for no vector.
  public func mean() -> Matrix {
    let share = 1 / Float(max(count, 1))
    let (columns, tile) = (columns, Self.mirrorTile)
    let values = [Float](unsafeUninitializedCapacity: sums.count) { mean, initialized in
      sums.withUnsafeBufferPointer { sums in
        // In tiles, so that writing across rows stays within a few of them.
        for first in stride(from: 0, to: columns, by: tile) {
          for second in stride(from: first, to: columns, by: tile) {
            for row in first..<min(first + tile, columns) {
              for column in max(row, second)..<min(second + tile, columns) {
                let value = sums[row * columns + column] * share
                mean.initializeElement(at: row * columns + column, to: value)
                mean.initializeElement(at: column * columns + row, to: value)
              }
            }
          }
        }
      }
      initialized = sums.count
    }
    return Matrix(rows: columns, columns: columns, values: values)
  }
}

/// One call's work: pairs of column ranges, of which the second is not before the first.
private struct GramTiles: @unchecked Sendable {
  // Unchecked: tiles read what x points at, and write disjoint parts of y.
  let x: UnsafePointer<Float>
  let y: UnsafeMutablePointer<Float>
  /// Vectors.
  let count: Int
  let columns: Int
  let tile: Int

  func run(on pool: WorkerPool) {
    let starts = Array(stride(from: 0, to: columns, by: tile))
    let pairs = starts.flatMap { first in
      starts.compactMap { second in first <= second ? (first, second) : nil }
    }
    pool.run(count: pairs.count) { part in
      for (first, second) in pairs[part] { add(rows: first, columns: second) }
    }
  }

  private func add(rows first: Int, columns second: Int) {
    let height = Int32(min(tile, columns - first))
    let width = Int32(min(tile, columns - second))
    let stride = Int32(columns)
    let output = y + first * columns + second
    if first == second {
      cblas_ssyrk(
        CblasRowMajor, CblasUpper, CblasTrans, height, Int32(count), 1, x + first, stride, 1,
        output, stride)
    } else {
      cblas_sgemm(
        CblasRowMajor, CblasTrans, CblasNoTrans, height, width, Int32(count), 1, x + first, stride,
        x + second, stride, 1, output, stride)
    }
  }
}
