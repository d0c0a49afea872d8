import COpenBLAS

extension Matrix {
  /// d G d^T for each row d: with E[x x^T] for G and errors of weights for d, the mean squared error of each
  /// output.
  ///
  /// - Precondition: `gram` is square and has as many columns as the matrix.
  public func quadraticForms(_ gram: Matrix) -> [Double] {
    precondition(gram.rows == columns && gram.columns == columns, "a square matrix")
    guard rows > 0, columns > 0 else { return Array(repeating: 0, count: rows) }
    var products = [Float](repeating: 0, count: values.count)
    let size = Int32(columns)
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(rows), size, size, 1, values, size,
      gram.values, size, 0, &products, size)
    return (0..<rows).map { row in
      let part = row * columns..<(row + 1) * columns
      return zip(values[part], products[part]).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
  }
}
