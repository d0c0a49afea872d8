/// Some rows of a layer, which multiply without the others: one expert's of a layer that holds all.
public struct LayerPart: Sendable {
  public let weights: LayerWeights
  public let rows: Range<Int>

  /// Some rows of a layer; nil takes all.
  ///
  /// - Precondition: the rows lie within the weights.
  public init(_ weights: LayerWeights, rows: Range<Int>? = nil) {
    let all = 0..<weights.rows
    self.weights = weights
    self.rows = rows ?? all
    precondition(all.contains(self.rows), "rows of the layer")
  }

  /// Input channels.
  public var columns: Int { weights.columns }

  /// The rows, decoded.
  public func decoded() -> Matrix {
    guard case .stack = weights else { return weights.decoded(rows: rows) }
    let values = pieces.flatMap { $0.weights.decoded(rows: $0.rows).values }
    return Matrix(rows: rows.count, columns: columns, values: values)
  }

  /// The same rows as parts of matrices, none of which is a stack.
  var pieces: [LayerPart] {
    guard case .stack(let members) = weights else { return [self] }
    var pieces: [LayerPart] = []
    var first = 0
    for member in members where first < rows.upperBound {
      let count = member.rows
      let part = rows.clamped(to: first..<first + count)
      if !part.isEmpty {
        pieces += LayerPart(member, rows: part.lowerBound - first..<part.upperBound - first).pieces
      }
      first += count
    }
    return pieces
  }
}

extension [LayerPart] {
  /// The same rows in the same order, with parts of stacks as those of the matrices that they lie in.
  var pieces: [LayerPart] {
    let hasStack = contains {
      if case .stack = $0.weights { true } else { false }
    }
    return hasStack ? flatMap(\.pieces) : self
  }
}
