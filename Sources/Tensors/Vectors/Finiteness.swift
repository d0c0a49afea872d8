extension [Float] {
  /// The place of the first NaN or infinity; nil if all are numbers.
  public var firstNonFinite: Int? {
    // Exponents are compared as whole numbers, many at a time.
    var largest: UInt32 = 0
    for value in self { largest = Swift.max(largest, value.bitPattern & 0x7fff_ffff) }
    return largest < 0x7f80_0000 ? nil : firstIndex { !$0.isFinite }
  }
}

extension Matrix {
  /// The row of the first NaN or infinity; nil if all are numbers.
  public var firstNonFiniteRow: Int? { values.firstNonFinite.map { $0 / max(columns, 1) } }
}

extension LayerWeights {
  /// Weights that are decoded at a time.
  private static let part = 1 << 20

  /// Where the first NaN or infinity stands, row by row; nil if all weights are numbers.
  public var firstNonFinite: (row: Int, column: Int)? {
    let step = max(1, Self.part / max(columns, 1))
    for start in stride(from: 0, to: rows, by: step) {
      let values = decoded(rows: start..<min(start + step, rows)).values
      guard let place = values.firstNonFinite else { continue }
      let (row, column) = place.quotientAndRemainder(dividingBy: columns)
      return (start + row, column)
    }
    return nil
  }
}

extension Logits {
  /// Whether all scores are numbers.
  public var areFinite: Bool { values.firstNonFinite == nil }
}
