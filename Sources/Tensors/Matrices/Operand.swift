import CKernels

/// A matrix as kernels see it: it multiplies without counting references.
enum Operand {
  case rows(vk_rows)
  case packed(vk_packed, inputs: UnsafePointer<vk_packed_input>?)
  /// GGUF's blocks, of which rows are decoded before they multiply.
  case blocks(StoredMatrix)
  /// Small floats, likewise.
  case floats(FloatMatrix)

  /// Products of single rows with vectors; false, without any, for what is decoded first.
  func multiply(
    rows: Range<Int>, x: UnsafePointer<Float>, count: Int, columns: Int,
    into y: UnsafeMutablePointer<Float>, stride: Int
  ) -> Bool {
    switch self {
    case .rows(var view):
      vk_rows_times(
        Kernels.level, &view, rows.lowerBound, rows.count, x, columns, count, y, stride)
      return true
    case .packed(var view, let inputs):
      guard let inputs else { return false }
      Self.withScratch(columns) { scratch in
        vk_packed_times(
          Kernels.level, &view, rows.lowerBound, rows.count, inputs, count, scratch, y, stride)
      }
      return true
    case .blocks, .floats: return false
    }
  }

  /// Writes the rows, decoded, one after the other.
  func decode(rows: Range<Int>, into destination: UnsafeMutablePointer<Float>) {
    switch self {
    case .rows(var view):
      vk_rows_decode(Kernels.level, &view, rows.lowerBound, rows.count, destination)
    case .packed(var view, _):
      Self.withScratch(view.columns) { scratch in
        vk_packed_decode(
          Kernels.level, &view, rows.lowerBound, rows.count, scratch, destination)
      }
    case .blocks(let matrix): matrix.decode(rows: rows, into: destination)
    case .floats(let matrix): matrix.decode(rows: rows, into: destination)
    }
  }

  private static func withScratch(_ columns: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Void) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: vk_packed_scratch(columns)) { scratch in
      if let start = scratch.baseAddress { body(start) }
    }
  }
}
