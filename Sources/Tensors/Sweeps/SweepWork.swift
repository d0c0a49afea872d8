import CKernels
import COpenBLAS

/// A grid as the sweep kernel reads it: for each tile of rows and each group, the rows' values side by side.
struct LaneGrid: Sendable {
  static let lanes = Int(VK_SWEEP_LANES)

  let scales: [Float]
  let zeros: [Float]
  let minimums: [Float]
  /// The group of each column, in the order of the sweep.
  let groups: [UInt32]
  /// Values of a tile.
  let stride: Int

  init(_ grid: QuantizationGrid, order: [Int]) {
    let groupCount = grid.groupsPerRow
    let tiles = (grid.rows + Self.lanes - 1) / Self.lanes
    let size = Self.lanes * groupCount
    func transposed(_ values: [Float]) -> [Float] {
      var result = [Float](repeating: 0, count: tiles * size)
      for row in 0..<grid.rows {
        let start = row / Self.lanes * size + row % Self.lanes
        for group in 0..<groupCount {
          result[start + group * Self.lanes] = values[row * groupCount + group]
        }
      }
      return result
    }
    scales = transposed(grid.scales)
    zeros = transposed(grid.zeros)
    minimums = transposed(grid.minimums)
    groups = order.map { UInt32($0 / grid.groupSize) }
    stride = size
  }
}

/// One block of a sweep over some rows.
struct SweepWork {
  let factor: Matrix
  /// Columns of the block.
  let block: Range<Int>
  let pattern: (kept: Int, of: Int)
  let grid: QuantizationGrid?
  let lanes: LaneGrid?

  /// Sweeps the block, then lets the columns after it make up for the errors.
  ///
  /// - Parameters:
  ///   - weights: all columns, in the order of the sweep; as are
  ///   - mask: 1 for zeros; empty for none.
  ///   - codes: empty without a grid.
  ///   - losses: to which squared errors are added, one a row.
  func run(
    weights: inout Matrix, mask: [UInt8], codes: inout [UInt8], losses: inout [Double]
  ) {
    let (rows, columns) = (weights.rows, weights.columns)
    var errors = [Float](repeating: 0, count: rows * block.count)
    weights.values.withUnsafeMutableBufferPointer { weights in
      mask.withUnsafeBufferPointer { mask in
        codes.withUnsafeMutableBufferPointer { codes in
          guard let weights = weights.baseAddress else { return }
          withKernelBlock { kernelBlock in
            for (tile, row) in stride(from: 0, to: rows, by: LaneGrid.lanes).enumerated() {
              let start = row * columns + block.lowerBound
              withKernelGrid(ofTile: tile) { grid in
                vk_sweep_rows(
                  Kernels.level, &kernelBlock, &grid, min(LaneGrid.lanes, rows - row),
                  weights + start, mask.baseAddress.flatMap { mask.isEmpty ? nil : $0 + start },
                  codes.baseAddress.flatMap { codes.isEmpty ? nil : $0 + start }, columns,
                  &errors[row * block.count], &losses[row])
              }
            }
          }
          update(weights, rows: rows, columns: columns, errors: errors)
        }
      }
    }
  }

  private func update(
    _ weights: UnsafeMutablePointer<Float>, rows: Int, columns: Int, errors: [Float]
  ) {
    let rest = columns - block.upperBound
    guard rest > 0, rows > 0 else { return }
    factor.values.withUnsafeBufferPointer { factor in
      guard let upper = factor.baseAddress else { return }
      cblas_sgemm(
        CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(rows), Int32(rest), Int32(block.count), -1,
        errors, Int32(block.count), upper + block.lowerBound * columns + block.upperBound,
        Int32(columns), 1, weights + block.upperBound, Int32(columns))
    }
  }

  private func withKernelBlock(_ body: (inout vk_sweep_block) -> Void) {
    factor.values.withUnsafeBufferPointer { factor in
      (lanes?.groups ?? []).withUnsafeBufferPointer { groups in
        guard let upper = factor.baseAddress else { return }
        let diagonal = block.lowerBound * self.factor.columns + block.lowerBound
        var kernelBlock = vk_sweep_block(
          factor: upper + diagonal, stride: self.factor.columns, width: block.count,
          kept: pattern.kept, of: pattern.of,
          groups: lanes == nil ? nil : groups.baseAddress.map { $0 + block.lowerBound },
          lowest: Float(grid?.levels.lowerBound ?? 0), highest: Float(grid?.levels.upperBound ?? 0),
          base: Float(grid?.base ?? 0), codebook: grid?.codebook)
        body(&kernelBlock)
      }
    }
  }

  private func withKernelGrid(ofTile tile: Int, _ body: (inout vk_sweep_grid) -> Void) {
    guard let lanes else {
      var none = vk_sweep_grid(scales: nil, zeros: nil, minimums: nil)
      return body(&none)
    }
    lanes.scales.withUnsafeBufferPointer { scales in
      lanes.zeros.withUnsafeBufferPointer { zeros in
        lanes.minimums.withUnsafeBufferPointer { minimums in
          let start = tile * lanes.stride
          var grid = vk_sweep_grid(
            scales: scales.baseAddress.map { $0 + start },
            zeros: zeros.baseAddress.map { $0 + start },
            minimums: minimums.baseAddress.map { $0 + start })
          body(&grid)
        }
      }
    }
  }
}
