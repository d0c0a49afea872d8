import Tensors

/// What mixes positions one after the other, and keeps a state of those before.
protocol RecurrentMixer: Sendable {
  associatedtype Steps: RecurrentSteps

  /// What becomes of consecutive positions, whose state goes on.
  func run(_ inputs: Matrix, after state: inout RecurrentState, on pool: WorkerPool) -> Steps
}

/// What consecutive positions are on their way through a ``RecurrentMixer``.
protocol RecurrentSteps {
  /// These positions and those of `other` after them.
  func followed(by other: Self) -> Self
}

extension Matrix {
  /// These rows and those of `other` below them.
  func above(_ other: Matrix) -> Matrix {
    Matrix(rows: rows + other.rows, columns: columns, values: values + other.values)
  }
}
