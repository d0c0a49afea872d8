import CKernels

extension WorkerPool {
  /// The product of one vector with a layer, of which columns with small inputs are not read.
  ///
  /// - Parameters:
  ///   - vector: One row.
  ///   - layer: The layer, column by column.
  ///   - threshold: Inputs of a smaller magnitude count as zero.
  ///   - arithmetic: How exactly the others are rounded.
  /// - Returns: One row, and how many inputs multiplied.
  /// - Precondition: the columns agree.
  public func product(
    of vector: Matrix, with layer: ColumnCodes, leavingOutBelow threshold: Float,
    _ arithmetic: Arithmetic
  ) -> (product: Matrix, active: Int) {
    precondition(vector.rows == 1 && vector.columns == layer.columns, "columns do not agree")
    let (columns, group) = (layer.columns, layer.groupSize)
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: vk_active_bytes(columns, group, arithmetic.planes), alignment: 64)
    defer { memory.deallocate() }
    let inputs = vk_active_gather(
      Kernels.level, vector.values, columns, group, threshold, arithmetic.planes, memory)
    let values = [Float](unsafeUninitializedCapacity: layer.rows) { y, initialized in
      if let start = y.baseAddress { layer.multiply(inputs, into: start, on: self) }
      initialized = layer.rows
    }
    return (Matrix(rows: 1, columns: layer.rows, values: values), inputs.active)
  }
}

extension Matrix {
  /// Sets values of a magnitude below `threshold` to zero.
  ///
  /// - Returns: How many values are left.
  public mutating func prune(below threshold: Float) -> Int {
    var active = values.count
    for place in values.indices where values[place].magnitude < threshold {
      values[place] = 0
      active -= 1
    }
    return active
  }
}
