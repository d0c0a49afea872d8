import CKernels

extension QuantizationGrid {
  /// The grid of a float format of 4 bits, for methods that choose codes one by one.
  ///
  /// Codes are the places of E2M1's levels, rising; two stand for zero.
  /// - Parameters:
  ///   - floats: scales of a format of 4 bits.
  ///   - matrix: the weights that they are of.
  public init(_ floats: FloatGrid, of matrix: Matrix) {
    precondition(matrix.rows == floats.rows && matrix.columns == floats.columns, "of this shape")
    guard floats.format.bits == 4, let groupSize = floats.format.groupSize else {
      preconditionFailure("only levels of 4 bits are so few")
    }
    let none = [Float](repeating: 0, count: floats.scales.count)
    self.init(
      matrix: matrix, groupSize: groupSize, levels: 0...15, base: 0, scales: floats.steps,
      zeros: none, minimums: none, parts: .floats(floats))
  }
}

extension FloatGrid {
  /// What the scales stand for, the divisor taken into account.
  fileprivate var steps: [Float] {
    var view = format.kernelRow(columns: columns, divisor: divisor, type: type)
    return scales.map { vk_float_scale(&view, $0) }
  }

  /// The matrix of levels given by their places, rising.
  func matrix(ofLevels levels: [UInt8]) -> FloatMatrix {
    let codes = levels.map { level in
      // The lower zero is written as the upper one, without its sign.
      level == 7 ? 0 : level > 7 ? level - 8 : 15 - level
    }
    return FloatMatrix(
      rows: rows, columns: columns, format: format,
      codes: stride(from: 0, to: codes.count, by: 2).map { codes[$0] | codes[$0 + 1] << 4 },
      scales: scales, divisor: divisor, type: type)
  }
}
