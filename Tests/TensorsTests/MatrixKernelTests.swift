import CKernels
import Testing

@testable import Tensors

/// Every variant of products of packed matrices against double precision.
struct MatrixKernelTests {
  struct Shape: Sendable { let left, right, columns: Int }

  /// One row, whole panels, one row more and less; one part of columns, one column more, and none.
  static let shapes = [
    Shape(left: 1, right: 1, columns: 1), Shape(left: 12, right: 32, columns: 16),
    Shape(left: 13, right: 31, columns: 17), Shape(left: 3, right: 65, columns: 7),
    Shape(left: 29, right: 2, columns: 513), Shape(left: 7, right: 33, columns: 1030),
    Shape(left: 5, right: 20, columns: 0),
  ]

  @Test(arguments: shapes, [false, true])
  func productsAgreeAtEveryLevel(shape: Shape, adds: Bool) {
    var noise = Noise(seed: shape.columns)
    let left = noise.values(shape.left * shape.columns)
    let right = noise.values(shape.right * shape.columns)
    let stride = shape.right + 3
    let before = noise.values(shape.left * stride)
    for level in testedLevels {
      for isTransposed in [false, true] {
        var found = before
        let panels = (
          Self.packed(level, VK_LEFT, left, rows: shape.left, isTransposed: isTransposed),
          Self.packed(level, VK_RIGHT, right, rows: shape.right, isTransposed: isTransposed)
        )
        vk_gemm(
          level, panels.0, shape.left, panels.1, shape.right, shape.columns, adds ? 1 : 0, &found,
          stride)
        for i in 0..<shape.left {
          for j in 0..<stride {
            let place = i * stride + j
            guard j < shape.right else {
              #expect(found[place] == before[place], "what lies beside is left alone")
              continue
            }
            let (value, magnitude) = product(
              Self.row(i, of: left, columns: shape.columns),
              Self.row(j, of: right, columns: shape.columns)[...])
            let expected = value + (adds ? Double(before[place]) : 0)
            #expect(
              abs(Double(found[place]) - expected) <= 2e-6 * magnitude + 1e-6,
              "\(level) \(shape), transposed \(isTransposed): row \(i), column \(j)")
          }
        }
      }
    }
  }

  private static func row(_ index: Int, of values: [Float], columns: Int) -> [Float] {
    Array(values[index * columns..<(index + 1) * columns])
  }

  /// Panels of a matrix, which lies in memory row by row or column by column.
  private static func packed(
    _ level: vk_level, _ side: vk_side, _ values: [Float], rows: Int, isTransposed: Bool
  ) -> [Float] {
    let columns = values.count / rows
    var elements = values
    if isTransposed {
      for (place, value) in values.enumerated() {
        elements[place % columns * rows + place / columns] = value
      }
    }
    let count = vk_packed_floats(level, side, rows, columns)
    var panels = [Float](repeating: .nan, count: count)
    elements.withUnsafeBufferPointer { elements in
      var factor = vk_factor(
        elements: elements.baseAddress, rows: rows, columns: columns,
        row_stride: isTransposed ? 1 : columns, column_stride: isTransposed ? rows : 1)
      vk_pack_factor(level, side, &factor, &panels)
    }
    return panels
  }
}
