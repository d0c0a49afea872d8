import CKernels

/// Some rows of a layer on their way, column by column, to a grid or to zeros, while the columns after
/// make up for what that did to the layer's outputs.
///
/// This is GPTQ (arXiv 2210.17323) with a grid, SparseGPT (arXiv 2301.00774) with zeros, and both at once.
/// Rows do not depend on each other, so any of them may be swept apart.
public struct ColumnSweep: Sendable {
  /// Which weights become zero, beside those of a mask.
  public enum Zeros: Hashable, Sendable {
    case none
    /// Those that are zero stay so.
    case kept
    /// All but `kept` of every `of` consecutive ones: those whose loss costs least when it is their turn.
    /// The factor's columns are in stored order.
    case pattern(kept: Int, of: Int)
  }

  /// Columns swept before those after them are updated.
  public static let blockSize = Int(VK_SWEEP_COLUMNS)

  private let factor: HessianFactor
  private let grid: QuantizationGrid?
  private let lanes: LaneGrid?
  private let pattern: (kept: Int, of: Int)
  private let width: Int
  private var begin = 0
  // All in the factor's order of columns; weights before `begin` have their final values.
  private var weights: Matrix
  private var mask: [UInt8]
  private var codes: [UInt8]
  private var losses: [Double]

  /// Prepares to sweep rows of weights.
  ///
  /// - Parameters:
  ///   - matrix: weights, columns in the layer's order.
  ///   - factor: of the inputs; of as many columns.
  ///   - grid: what codes of these very rows stand for; nil to prune only.
  ///   - zeros: which weights become zero.
  ///   - blockSize: columns of a block, which makes no difference but to speed; at most
  ///     ``blockSize``.
  /// - Precondition: shapes agree; `of` is at most 32 and divides the columns.
  public init(
    _ matrix: Matrix, factor: HessianFactor, grid: QuantizationGrid?, zeros: Zeros = .none,
    blockSize: Int = ColumnSweep.blockSize
  ) {
    precondition(matrix.columns == factor.columns, "a factor of these columns")
    precondition(grid.map { $0.rows == matrix.rows && $0.columns == matrix.columns } ?? true)
    precondition((1...Self.blockSize).contains(blockSize), "a block that fits the kernel")
    self.factor = factor
    self.grid = grid
    lanes = grid.map { LaneGrid($0, order: factor.order) }
    if case .pattern(let kept, let of) = zeros {
      precondition(factor.ordering == .stored && matrix.columns % of == 0 && of <= 32)
      pattern = (kept, of)
      width = max(of, blockSize - blockSize % of)
    } else {
      pattern = (0, 0)
      width = blockSize
    }
    weights = matrix.withColumns(in: factor.order)
    mask = zeros == .kept ? weights.values.map { $0 == 0 ? 1 : 0 } : []
    codes = grid == nil ? [] : Array(repeating: 0, count: matrix.values.count)
    losses = Array(repeating: 0, count: matrix.rows)
  }

  /// Rows that are swept.
  public var rows: Int { weights.rows }
  public var isFinished: Bool { begin == weights.columns }
  /// The columns of the next block, as places in the factor's order; empty at the end.
  public var block: Range<Int> { begin..<min(weights.columns, begin + width) }

  /// What the loss of each weight of the next block costs: its square over that of the factor's diagonal.
  ///
  /// - Returns: rows x columns of the block.
  public func scores() -> [Float] {
    let diagonal = block.map { factor.upper[$0, $0] }
    return (0..<rows).flatMap { row in
      zip(block, diagonal).map { column, diagonal in
        let share = weights[row, column] / diagonal
        return share * share
      }
    }
  }

  /// Sweeps the next block.
  ///
  /// - Parameter blockMask: 1 for each weight of the block that becomes zero, rows x columns of the block; nil for
  ///   no more zeros than the sweep knows of.
  public mutating func advance(masking blockMask: [UInt8]? = nil) {
    let block = block
    guard !block.isEmpty else { return }
    if let blockMask {
      precondition(blockMask.count == rows * block.count, "a mask of the next block")
      if mask.isEmpty { mask = Array(repeating: 0, count: weights.values.count) }
      for row in 0..<rows {
        let start = row * weights.columns + block.lowerBound
        mask.replaceSubrange(
          start..<start + block.count,
          with: blockMask[row * block.count..<(row + 1) * block.count])
      }
    }
    let work = SweepWork(
      factor: factor.upper, block: block, pattern: pattern, grid: grid, lanes: lanes)
    work.run(weights: &weights, mask: mask, codes: &codes, losses: &losses)
    begin = block.upperBound
  }

  /// Sweeps all blocks that are left.
  public mutating func run() {
    while !isFinished { advance() }
  }

  /// The swept weights, columns in the layer's order; meaningful once ``isFinished``.
  public var result: Matrix {
    var result = weights
    for row in 0..<rows {
      let start = row * weights.columns
      for (place, column) in factor.order.enumerated() {
        result.values[start + column] = weights.values[start + place]
      }
    }
    return result
  }

  /// The codes of the swept weights, columns in the layer's order; empty without a grid.
  public var resultCodes: [UInt8] {
    var result = codes
    for start in stride(from: 0, to: codes.count, by: max(weights.columns, 1)) {
      for (place, column) in factor.order.enumerated() {
        result[start + column] = codes[start + place]
      }
    }
    return result
  }

  /// What the sweep cost each row so far: D (E[x x^T] + damping) D^T for its change D.
  public var rowLosses: [Double] { losses.map { $0 * Double(factor.scale) } }
}

extension Matrix {
  /// The columns in another order, the first of which is column `order[0]`.
  fileprivate func withColumns(in order: [Int]) -> Matrix {
    var result = self
    for row in 0..<rows {
      let start = row * columns
      for (place, column) in order.enumerated() {
        result.values[start + place] = values[start + column]
      }
    }
    return result
  }
}
