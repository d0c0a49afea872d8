import Tensors
import TestSupport
import Testing

/// Attention and its gradient with windows, capped scores, sinks and values of another size, against PyTorch.
struct RecordedAttentionTests {
  private static func expectClose(_ found: [Float], _ expected: [Float], _ comment: String) {
    #expect(found.count == expected.count, "\(comment)")
    let scale = expected.map { abs($0) }.max() ?? 0
    #expect(scale > 0)
    for (place, (a, b)) in zip(found, expected).enumerated() where !(abs(a - b) < 1e-5 * scale) {
      Issue.record("\(comment) at \(place): \(a), not \(b)")
      return
    }
  }

  private static func attention(_ recorded: RecordedVectors.Attention) -> Attention {
    Attention(
      headCount: recorded.heads, keyValueHeadCount: recorded.shared, headSize: recorded.size,
      scale: recorded.scale, window: recorded.window, softcap: recorded.softcap,
      sinks: recorded.sinks?.floats, valueSize: recorded.valueSize)
  }

  /// The queries with columns beside them, which are not to be read.
  private static func queries(_ recorded: RecordedVectors.Attention, beside: Int) -> Matrix {
    let width = recorded.heads * recorded.size
    let values = recorded.queries.floats
    var queries = Matrix(rows: recorded.positions, columns: width + beside)
    for row in 0..<queries.rows {
      for column in 0..<queries.columns {
        queries[row, column] = column < width ? values[row * width + column] : .nan
      }
    }
    return queries
  }

  private static func keys(_ recorded: RecordedVectors.Attention) -> CachedVectors {
    CachedVectors(recorded.keys.floats, heads: recorded.shared, size: recorded.size)
  }

  private static func values(_ recorded: RecordedVectors.Attention) -> CachedVectors {
    CachedVectors(recorded.values.floats, heads: recorded.shared, size: recorded.valueSize)
  }

  @Test(arguments: [1, 2]) func attends(threads: Int) throws {
    let pool = WorkerPool(threads: threads)
    for (number, recorded) in try RecordedVectors.read().attentions.enumerated() {
      let found = Self.attention(recorded).attend(
        queries: Self.queries(recorded, beside: 3), keys: Self.keys(recorded),
        values: Self.values(recorded), on: pool)
      Self.expectClose(found.values, recorded.output.floats, "attention \(number)")
    }
  }

  /// A step of generation asks for the last position alone.
  @Test func attendsAtTheEndOfACache() throws {
    let pool = WorkerPool(threads: 2)
    for (number, recorded) in try RecordedVectors.read().attentions.enumerated() {
      let queries = Self.queries(recorded, beside: 0)
      for rows in Set([1, min(3, queries.rows)]) {
        let last = Matrix(
          rows: rows, columns: queries.columns,
          values: Array(queries.values.suffix(rows * queries.columns)))
        let found = Self.attention(recorded).attend(
          queries: last, keys: Self.keys(recorded), values: Self.values(recorded), on: pool)
        let expected = recorded.output.floats.suffix(found.values.count)
        Self.expectClose(found.values, Array(expected), "attention \(number)")
      }
    }
  }

  @Test(arguments: [1, 2]) func differentiates(threads: Int) throws {
    let pool = WorkerPool(threads: threads)
    for (number, recorded) in try RecordedVectors.read().attentions.enumerated() {
      let outer = Matrix(
        rows: recorded.positions, columns: recorded.heads * recorded.valueSize,
        values: recorded.outer.floats)
      let found = Self.attention(recorded).gradient(
        queries: Self.queries(recorded, beside: 2), keys: recorded.keys.floats,
        values: recorded.values.floats, output: outer, on: pool)
      Self.expectClose(found.values, recorded.gradient.floats, "attention \(number)")
    }
  }
}
