import CKernels

/// Products of matrices that lie in memory, on the calling thread.
enum MatrixProduct {
  /// Writes the product of left row i and right row j to y[i * stride + j], or adds it to what is there.
  ///
  /// - Precondition: the columns of both agree.
  static func multiply(
    _ left: vk_factor, _ right: vk_factor, adds: Bool = false,
    into y: UnsafeMutablePointer<Float>, stride: Int
  ) {
    precondition(left.columns == right.columns, "columns do not agree")
    let level = Kernels.level
    var (left, right) = (left, right)
    let leftCount = vk_packed_floats(level, VK_LEFT, left.rows, left.columns)
    let rightCount = vk_packed_floats(level, VK_RIGHT, right.rows, right.columns)
    ThreadScratch.withFloats(leftCount + rightCount, kind: VK_FACTOR_SCRATCH) { memory in
      vk_pack_factor(level, VK_LEFT, &left, memory)
      vk_pack_factor(level, VK_RIGHT, &right, memory + leftCount)
      vk_gemm(
        level, memory, left.rows, memory + leftCount, right.rows, left.columns, adds ? 1 : 0, y,
        stride)
    }
  }
}

extension vk_factor {
  /// Rows of `columns` values that lie `stride` apart.
  init(_ elements: UnsafePointer<Float>, rows: Int, columns: Int, stride: Int) {
    self.init(
      elements: elements, rows: rows, columns: columns, row_stride: stride, column_stride: 1)
  }

  /// The columns of these rows as rows.
  var transposed: vk_factor {
    vk_factor(
      elements: elements, rows: columns, columns: rows, row_stride: column_stride,
      column_stride: row_stride)
  }
}
