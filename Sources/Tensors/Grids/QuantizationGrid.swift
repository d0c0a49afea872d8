import CKernels

/// The weights that codes can stand for, fixed before any code is chosen.
///
/// Every group of a row has a scale, a zero and a minimum, as they are stored:
/// weight = (code + base - zero) * scale + minimum. IQ4_NL's and E2M1's codes stand for levels that are
/// not evenly spaced: weight = codebook[code] * scale. How codes are then chosen, to nearest or column by
/// column, is up to a method.
public struct QuantizationGrid: Sendable {
  public let rows: Int
  public let columns: Int
  /// Consecutive weights of a row that share a scale; divides `columns`.
  public let groupSize: Int
  /// Values of code + base.
  public let levels: ClosedRange<Int>
  /// The level of code 0.
  public let base: Int
  /// rows x groups, decoded from what is stored.
  public let scales: [Float]
  /// rows x groups: the level whose weight is the minimum.
  public let zeros: [Float]
  /// rows x groups.
  public let minimums: [Float]
  let parts: Parts

  /// What is stored beside the codes.
  enum Parts: Sendable {
    case integers(bits: Int, scales: [UInt16], type: ElementType, points: [UInt8]?)
    case blocks(ElementType, [vk_block_header])
    case floats(FloatGrid)
  }

  init(
    matrix: Matrix, groupSize: Int, levels: ClosedRange<Int>, base: Int, scales: [Float],
    zeros: [Float], minimums: [Float], parts: Parts
  ) {
    rows = matrix.rows
    columns = matrix.columns
    self.groupSize = groupSize
    self.levels = levels
    self.base = base
    self.scales = scales
    self.zeros = zeros
    self.minimums = minimums
    self.parts = parts
  }

  /// Groups of a row.
  public var groupsPerRow: Int { columns / groupSize }

  /// Whether a weight of zero has a code of its own in every group.
  public var holdsZero: Bool {
    guard codebook == nil else { return false }
    return zip(zeros, minimums).allSatisfy { zero, minimum in minimum == 0 && zero == zero.rounded()
    }
  }

  /// The sixteen levels of codes, rising, where they are not evenly spaced.
  var codebook: UnsafePointer<Float>? {
    switch parts {
    case .integers: nil
    case .blocks(let type, _): type.kernelBlock.flatMap { vk_codebook($0) }
    case .floats: vk_e2m1_levels()
    }
  }

  /// The codes nearest to the weights of a matrix of the grid's shape.
  public func nearest(_ matrix: Matrix) -> [UInt8] {
    precondition(matrix.rows == rows && matrix.columns == columns, "another shape than the grid's")
    return [UInt8](unsafeUninitializedCapacity: rows * columns) { codes, initialized in
      matrix.values.withUnsafeBufferPointer { weights in
        withKernelRows { row, view in
          guard let weights = weights.baseAddress, let codes = codes.baseAddress else { return }
          var view = view
          vk_nearest_row(Kernels.level, &view, weights + row * columns, codes + row * columns)
        }
      }
      initialized = rows * columns
    }
  }

  /// The weights that codes stand for.
  ///
  /// - Precondition: there are `rows * columns` codes.
  public func weights(of codes: [UInt8]) -> Matrix {
    precondition(codes.count == rows * columns, "a code for every weight")
    let values = [Float](unsafeUninitializedCapacity: rows * columns) { weights, initialized in
      codes.withUnsafeBufferPointer { codes in
        withKernelRows { row, view in
          guard let weights = weights.baseAddress, let codes = codes.baseAddress else { return }
          var view = view
          vk_grid_row(Kernels.level, &view, codes + row * columns, weights + row * columns)
        }
      }
      initialized = rows * columns
    }
    return Matrix(rows: rows, columns: columns, values: values)
  }

  /// Calls `body` with each row of the grid as kernels see it.
  func withKernelRows(_ body: (Int, vk_row_grid) -> Void) {
    let (groups, codebook) = (groupsPerRow, codebook)
    scales.withUnsafeBufferPointer { scales in
      zeros.withUnsafeBufferPointer { zeros in
        minimums.withUnsafeBufferPointer { minimums in
          guard let scale = scales.baseAddress, let zero = zeros.baseAddress,
            let minimum = minimums.baseAddress
          else { return }
          for row in 0..<rows {
            body(
              row,
              vk_row_grid(
                scales: scale + row * groups, zeros: zero + row * groups,
                minimums: minimum + row * groups, codebook: codebook, groups: groups,
                group_size: groupSize,
                lowest: Float(levels.lowerBound), highest: Float(levels.upperBound),
                base: Float(base)))
          }
        }
      }
    }
  }
}
