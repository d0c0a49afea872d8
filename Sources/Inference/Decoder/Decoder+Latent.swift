import Checkpoints
import Tensors

/// What latent attention computes on its way from hidden states to queries, keys and values; rows are positions.
struct LatentActivations {
  /// What was projected: the queries or their latent row, that of keys and values, and the part of keys that turns.
  let projected: Matrix
  /// What the layer that makes queries reads; nil where there is none.
  let queryRead: Matrix?
  /// What the layer that makes keys and values reads.
  let read: Matrix
  /// Queries, keys and values of all heads side by side, before anything turns.
  let expanded: Matrix
}

/// Multi-head latent attention (DeepSeek-V2, 2024), with keys and values of every head made anew of their latent row.
extension Decoder {
  func latentActivations(
    of layers: LatentLayers, _ facts: AttentionFacts, _ norms: [Part: Norm], _ projected: Matrix
  ) -> LatentActivations {
    let latent = layers.facts
    let columns = LatentColumns(facts, latent)
    let epsilon = Float(latent.normEpsilon)
    func read(_ columns: Range<Int>, _ part: Part) -> Matrix {
      let rows = projected.columns(columns)
      return norms[part].map { rows.rmsNormalized(by: $0.weights, epsilon: epsilon) } ?? rows
    }
    let queryRead = layers.queryUp.map { _ in read(columns.query, .queryDownNorm) }
    let queries =
      queryRead.flatMap { layers.queryUp?.outputs(of: $0, on: pool, arithmetic) }
      ?? projected.columns(columns.query)
    let row = read(columns.latent, .latentNorm)
    let turned = projected.columns(columns.turned)
    let (own, values) = ownKeysAndValues(of: row, layers, facts)
    let size = latent.ownSize(ofHead: facts.headSize)
    var expanded = Matrix(
      rows: projected.rows, columns: facts.queryWidth + facts.keyWidth + facts.outputWidth)
    expanded.replace(columnsFrom: 0, by: queries)
    for head in 0..<facts.headCount {
      let start = facts.queryWidth + head * facts.headSize
      expanded.replace(columnsFrom: start, by: own.columns(head * size..<(head + 1) * size))
      expanded.replace(columnsFrom: start + size, by: turned)
    }
    expanded.replace(columnsFrom: facts.queryWidth + facts.keyWidth, by: values)
    return LatentActivations(
      projected: projected, queryRead: queryRead, read: row, expanded: expanded)
  }

  /// The parts of keys that heads have to themselves, and the values, each of all heads side by side.
  private func ownKeysAndValues(
    of row: Matrix, _ layers: LatentLayers, _ facts: AttentionFacts
  ) -> (keys: Matrix, values: Matrix) {
    let size = layers.facts.ownSize(ofHead: facts.headSize)
    var keys = Matrix(rows: row.rows, columns: facts.headCount * size)
    guard !layers.facts.isSplit else {
      for head in 0..<facts.headCount {
        keys.replace(
          columnsFrom: head * size,
          by: pool.transposedProducts(of: row, with: [layers.keys(ofHead: head)]))
      }
      return (keys, pool.products(of: row, with: [layers.up.weights[1]], arithmetic))
    }
    let both = layers.up.outputs(of: row, on: pool, arithmetic)
    var values = Matrix(rows: row.rows, columns: facts.outputWidth)
    let width = size + facts.valueSize
    for head in 0..<facts.headCount {
      let start = head * width
      keys.replace(columnsFrom: head * size, by: both.columns(start..<start + size))
      values.replace(
        columnsFrom: head * facts.valueSize, by: both.columns(start + size..<start + width))
    }
    return (keys, values)
  }
}

extension LatentLayers {
  /// One head's matrix of keys, where keys have one of their own: its rows are what the head's keys follow from.
  func keys(ofHead head: Int) -> LayerPart {
    LayerPart(up.weights[0], rows: head * facts.rank..<(head + 1) * facts.rank)
  }
}

/// Which columns of what is projected are what.
struct LatentColumns {
  /// The queries, or the latent row that they follow from.
  let query: Range<Int>
  /// The latent row of keys and values.
  let latent: Range<Int>
  /// The part of keys that turns.
  let turned: Range<Int>

  init(_ facts: AttentionFacts, _ latent: LatentFacts) {
    query = 0..<(latent.queryRank ?? facts.queryWidth)
    self.latent = query.upperBound..<query.upperBound + latent.rank
    turned = self.latent.upperBound..<self.latent.upperBound + latent.turnedSize
  }
}

extension Matrix {
  /// Some consecutive columns as a matrix.
  ///
  /// - Precondition: there are such columns.
  func columns(_ range: Range<Int>) -> Matrix {
    Matrix(
      rows: rows, columns: range.count,
      values: (0..<rows).flatMap { row in
        values[row * columns + range.lowerBound..<row * columns + range.upperBound]
      })
  }

  /// Puts another matrix in the place of as many columns from `first` on.
  ///
  /// - Precondition: there are so many, and the rows agree.
  mutating func replace(columnsFrom first: Int, by other: Matrix) {
    for row in 0..<rows {
      let start = row * columns + first
      values.replaceSubrange(start..<start + other.columns, with: other.row(row))
    }
  }
}
