import CKernels

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

  /// Rows and columns of a tile: whole panels at every level, and few enough that little beside the upper half is multiplied.
  private static let tile = 96

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
    let level = Kernels.level
    let size = vk_packed_floats(level, VK_LEFT, columns, count)
    let rightSize = vk_packed_floats(level, VK_RIGHT, columns, count)
    ThreadScratch.withFloats(size + rightSize) { panels in
      let (left, right) = (panels, panels + size)
      let starts = Array(stride(from: 0, to: columns, by: tile))
      let panels = Panels(left: left, right: right)
      pool.run(count: 2 * starts.count) { part in
        for place in part {
          pack(from: starts[place / 2], place % 2 == 0 ? VK_LEFT : VK_RIGHT, into: panels)
        }
      }
      let pairs = starts.flatMap { first in
        starts.compactMap { second in first <= second ? (first, second) : nil }
      }
      pool.run(count: pairs.count) { part in
        for (first, second) in pairs[part] { add(rows: first, columns: second, of: panels) }
      }
    }
  }

  /// The vectors' values packed as both factors: value i of all vectors is row i.
  private struct Panels: @unchecked Sendable {
    // Unchecked: written in disjoint parts, then only read.
    let left: UnsafeMutablePointer<Float>
    let right: UnsafeMutablePointer<Float>
  }

  private func pack(from first: Int, _ side: vk_side, into panels: Panels) {
    var factor = vk_factor(
      x + first, rows: count, columns: min(tile, columns - first), stride: columns
    ).transposed
    let packed = side == VK_LEFT ? panels.left : panels.right
    vk_pack_factor(Kernels.level, side, &factor, packed + first * count)
  }

  private func add(rows first: Int, columns second: Int, of panels: Panels) {
    vk_gemm(
      Kernels.level, panels.left + first * count, min(tile, columns - first),
      panels.right + second * count, min(tile, columns - second), count, 1,
      y + first * columns + second, columns)
  }
}
