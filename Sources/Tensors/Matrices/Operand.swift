import CKernels

/// A matrix as kernels see it: it multiplies without counting references.
enum Operand {
  case rows(vk_rows)
  /// With the inputs' sums over groups, unless rows are decoded before they multiply.
  case packed(vk_packed, sums: UnsafePointer<Float>?)
  /// With the inputs rounded to integers; nil where they are only decoded.
  case tiles(vk_tiles, inputs: vk_tile_inputs?)
  /// GGUF's blocks, of which rows are decoded before they multiply.
  case blocks(StoredMatrix)
  /// Small floats, likewise.
  case floats(FloatMatrix)

  /// Whether the rows multiply as they are, however many vectors there are.
  var isInteger: Bool {
    if case .tiles(_, .some) = self { true } else { false }
  }

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
    case .packed(var view, let sums):
      guard let sums else { return false }
      Self.withScratch(vk_packed_scratch(columns)) { scratch in
        vk_packed_times(
          Kernels.level, &view, rows.lowerBound, rows.count, x, sums, count, scratch, y, stride)
      }
      return true
    case .tiles(var view, let inputs):
      guard var inputs else { return false }
      vk_tiles_times(
        Kernels.level, &view, rows.lowerBound, rows.count, &inputs, y, stride)
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
      Self.withScratch(vk_packed_scratch(view.columns)) { scratch in
        vk_packed_decode(
          Kernels.level, &view, rows.lowerBound, rows.count, scratch, destination)
      }
    case .tiles(var view, _):
      Self.withScratch(vk_tile_scratch(view.columns)) { scratch in
        vk_tiles_decode(
          Kernels.level, &view, rows.lowerBound, rows.count, scratch, destination)
      }
    case .blocks(let matrix): matrix.decode(rows: rows, into: destination)
    case .floats(let matrix): matrix.decode(rows: rows, into: destination)
    }
  }

  private static func withScratch(_ bytes: Int, _ body: (UnsafeMutablePointer<UInt8>) -> Void) {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: bytes) { scratch in
      if let start = scratch.baseAddress { body(start) }
    }
  }
}
