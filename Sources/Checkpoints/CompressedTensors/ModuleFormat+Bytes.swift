import Tensors

extension ModuleFormat {
  /// The elements of ``tensors(of:rows:columns:scaleType:)``, in their order; nil when weights are not held in this format.
  ///
  /// ``QuantizedLayer/weights()`` is the way back.
  package func bytes(of weights: LayerWeights, scaleType: ElementType) -> [[UInt8]]? {
    switch weights {
    case .packed(let matrix) where packing == .packed: packedParts(of: matrix, scaleType)
    case .packed(let matrix) where packing == .integers: Self.byteParts(of: matrix)
    case .floats(let matrix) where matrix.format == floats: matrix.storedParts
    case .packed, .floats, .stored, .stack: nil
    }
  }

  private func packedParts(of matrix: PackedMatrix, _ scaleType: ElementType) -> [[UInt8]]? {
    let size = scaleRectangle(rows: matrix.rows, columns: matrix.columns).columns
    guard matrix.bits == arguments.bits, matrix.groupSize == size, matrix.scaleType == scaleType,
      arguments.isSymmetric == (matrix.zeros == .symmetric)
    else { return nil }
    let parts = [
      matrix.codes.littleEndianBytes, matrix.scales.littleEndianBytes,
      [Int64(matrix.rows), Int64(matrix.columns)].littleEndianBytes,
    ]
    guard !arguments.isSymmetric else { return parts }
    return matrix.packedZeroPoints().map { parts + [$0.littleEndianBytes] }
  }

  private static func byteParts(of matrix: PackedMatrix) -> [[UInt8]]? {
    guard matrix.bits == 8, matrix.groupsPerRow == 1, matrix.zeros == .symmetric else { return nil }
    // Codes count from the lowest level, the format's from zero: the sign bit tells them apart.
    let weights = matrix.codes.littleEndianBytes
    let rows = (0..<matrix.rows).flatMap { row in
      let start = row * matrix.wordsPerRow * 4
      return weights[start..<start + matrix.columns].map { $0 ^ 0x80 }
    }
    return [rows, matrix.scales.littleEndianBytes]
  }
}

extension FloatMatrix {
  /// Codes, scales and what divides them.
  fileprivate var storedParts: [[UInt8]] {
    switch format {
    case .fp8: [codes, scales.littleEndianBytes]
    case .fp8Block: [codes, sharedScales.littleEndianBytes]
    case .nvfp4: [codes, scales.map { UInt8($0) }, [divisor].littleEndianBytes]
    case .mxfp4: [codes, scales.map { UInt8($0) }]
    }
  }

  /// The scales of the first of all rows that share them.
  private var sharedScales: [UInt16] {
    let groups = format.groups(inRowOf: columns)
    return stride(from: 0, to: rows, by: format.rowsAScale).flatMap {
      scales[$0 * groups..<($0 + 1) * groups]
    }
  }
}
