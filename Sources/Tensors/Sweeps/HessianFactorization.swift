import COpenBLAS

/// The making of a ``HessianFactor``, in steps of some milliseconds up to thousands of columns.
///
/// With the order reversed, the lower Cholesky factor L of H gives U at once: it is L^-1 reversed. So
/// one factorization and one triangular inverse, panel by panel and in place, are all the work.
public struct HessianFactorization: Sendable {
  private enum Phase {
    case loading(row: Int)
    case factorizing(column: Int)
    case inverting(row: Int)
    case finished
  }

  private static let panel = 128
  /// Beyond this share of the mean, second moments cannot be told from noise.
  private static let mostDamping: Float = 1e3

  private let gram: Matrix
  private let ordering: HessianFactor.Order
  private let order: [Int]
  private let scale: Float
  private var damping: Float
  private var phase = Phase.loading(row: 0)
  /// columns x columns, reversed; the lower half is worked on, the upper stays zero.
  private var values: [Float]

  /// Prepares to factorize the second moments of a layer's inputs.
  ///
  /// - Parameters:
  ///   - gram: E[x x^T], square and symmetric.
  ///   - ordering: the order in which columns are swept.
  ///   - damping: share of the mean second moment that is added to all of them; ten times as much, as
  ///     often as it takes, when that is too little.
  public init(
    gram: Matrix, ordering: HessianFactor.Order = .falling,
    damping: Float = HessianFactor.damping
  ) {
    precondition(gram.rows == gram.columns && gram.rows > 0, "a square matrix")
    precondition(damping > 0, "some damping")
    let diagonal = (0..<gram.columns).map { gram[$0, $0] }
    let mean = diagonal.reduce(0) { $0 + Double($1) } / Double(gram.columns)
    self.gram = gram
    self.ordering = ordering
    self.damping = mean.isFinite ? damping : .infinity
    scale = mean.isFinite && mean > 0 ? Float(mean) : 1
    order =
      switch ordering {
      case .stored: Array(diagonal.indices)
      case .falling:
        diagonal.indices.sorted { (diagonal[$1], $0) < (diagonal[$0], $1) }
      }
    values = Array(repeating: 0, count: gram.values.count)
  }

  public var isFinished: Bool { if case .finished = phase { true } else { false } }

  /// Share of the work that is done, from 0 to 1, if the damping is enough.
  public var progress: Double {
    let size = Double(columns)
    return switch phase {
    case .loading(let row): 0.2 * Double(row) / size
    case .factorizing(let column): 0.2 + 0.4 * Double(column) / size
    case .inverting(let row): 0.6 + 0.4 * Double(row) / size
    case .finished: 1
    }
  }

  /// Works for some milliseconds.
  public mutating func step() {
    switch phase {
    case .loading(let row): load(from: row)
    case .factorizing(let column): factorize(from: column)
    case .inverting(let row): invert(from: row)
    case .finished: break
    }
  }

  /// The factor, once ``isFinished``; nil before.
  public func finish() -> HessianFactor? {
    guard isFinished else { return nil }
    return HessianFactor(
      ordering: ordering, order: order,
      upper: Matrix(rows: columns, columns: columns, values: values.reversed()), scale: scale,
      damping: damping)
  }

  private var columns: Int { gram.columns }

  private mutating func load(from start: Int) {
    let size = columns
    let end = min(size, start + max(1, (1 << 20) / size))
    for row in start..<end {
      let source = order[size - 1 - row] * size
      for column in 0..<row {
        values[row * size + column] =
          damping.isFinite ? gram.values[source + order[size - 1 - column]] / scale : 0
      }
      let moment = gram.values[source + order[size - 1 - row]] / scale
      values[row * size + row] = damping.isFinite ? moment + damping : 1
    }
    phase = end < size ? .loading(row: end) : .factorizing(column: 0)
  }

  private mutating func factorize(from start: Int) {
    let size = columns
    let end = min(size, start + Self.panel)
    let succeeded = values.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.map {
        Panel(start: start, end: end, columns: size, matrix: $0).factorize()
      }
    }
    if succeeded == true {
      phase = end < size ? .factorizing(column: end) : .inverting(row: 0)
    } else {
      damping = damping * 10 <= Self.mostDamping ? damping * 10 : .infinity
      phase = .loading(row: 0)
    }
  }

  private mutating func invert(from start: Int) {
    let size = columns
    let end = min(size, start + Self.panel)
    values.withUnsafeMutableBufferPointer { buffer in
      guard let matrix = buffer.baseAddress else { return }
      Panel(start: start, end: end, columns: size, matrix: matrix).invert()
    }
    phase = end < size ? .inverting(row: end) : .finished
  }
}

/// Some consecutive rows and columns of a square matrix whose lower half is worked on.
private struct Panel {
  let start: Int
  let end: Int
  let columns: Int
  let matrix: UnsafeMutablePointer<Float>

  private var width: Int32 { Int32(end - start) }
  private var stride: Int32 { Int32(columns) }
  private var diagonal: UnsafeMutablePointer<Float> { matrix + start * columns + start }

  /// Makes these columns those of the Cholesky factor, and takes their part from the columns after.
  ///
  /// - Returns: false when the matrix is not positive definite.
  func factorize() -> Bool {
    var (order, leading, info) = (width, stride, Int32(0))
    // LAPACK's upper half, column by column, is our lower half row by row.
    spotrf_("U", &order, diagonal, &leading, &info, 1)
    let pivots = (start..<end).map { matrix[$0 * columns + $0] }
    guard info == 0, pivots.allSatisfy({ $0.isFinite && $0 > 0 }) else { return false }
    guard end < columns else { return true }
    let rest = Int32(columns - end)
    let below = matrix + end * columns + start
    cblas_strsm(
      CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, rest, width, 1, diagonal,
      stride, below, stride)
    cblas_ssyrk(
      CblasRowMajor, CblasLower, CblasNoTrans, rest, width, -1, below, stride, 1,
      matrix + end * columns + end, stride)
    return true
  }

  /// Makes these rows those of the factor's inverse, as the rows before are already.
  func invert() {
    let before = Int32(start)
    let left = matrix + start * columns
    if before > 0 {
      cblas_strmm(
        CblasRowMajor, CblasRight, CblasLower, CblasNoTrans, CblasNonUnit, width, before, 1, matrix,
        stride, left, stride)
      cblas_strsm(
        CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, width, before, -1,
        diagonal, stride, left, stride)
    }
    var (order, leading, info) = (width, stride, Int32(0))
    strtri_("U", "N", &order, diagonal, &leading, &info, 1, 1)
  }
}
