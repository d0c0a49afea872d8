/// A dense single-precision matrix in row-major order that owns its values.
public struct Matrix: Hashable, Sendable {
  /// Number of rows (output channels of a weight).
  public let rows: Int
  /// Number of columns (input channels of a weight).
  public let columns: Int
  /// `rows * columns` values, row after row.
  public var values: [Float]

  /// A matrix of zeros.
  public init(rows: Int, columns: Int) {
    self.init(rows: rows, columns: columns, values: Array(repeating: 0, count: rows * columns))
  }

  /// A matrix of the given values.
  ///
  /// - Precondition: `values.count == rows * columns`.
  public init(rows: Int, columns: Int, values: [Float]) {
    precondition(values.count == rows * columns, "a matrix holds rows * columns values")
    self.rows = rows
    self.columns = columns
    self.values = values
  }

  /// The values of one row.
  public func row(_ index: Int) -> ArraySlice<Float> {
    values[index * columns..<(index + 1) * columns]
  }

  public subscript(row: Int, column: Int) -> Float {
    get { values[row * columns + column] }
    set { values[row * columns + column] = newValue }
  }
}
