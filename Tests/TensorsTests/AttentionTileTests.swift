import Glibc
import TestSupport
import Testing

@testable import Tensors

/// Many queries at once, in tiles, against the formula in double precision; few for the types that keys are held as.
struct AttentionTileTests {
  struct Case: CustomTestStringConvertible, Sendable {
    /// Queries, and positions before them.
    let rows: Int, before: Int
    var window: Int?
    var softcap: Float?
    var hasSinks = false
    var valueSize = 8
    var size = 8
    var type = CacheType.f32

    var testDescription: String {
      "\(rows) after \(before), window \(window ?? 0), cap \(softcap ?? 0), sinks \(hasSinks), \(type)"
    }
  }

  static let cases = [
    Case(rows: AttentionHeads.leastForTiles, before: 0),
    Case(rows: 64, before: 0, softcap: 5),
    Case(rows: 65, before: 300, hasSinks: true),
    Case(rows: 130, before: 127, window: 1),
    Case(rows: 130, before: 200, window: 40, softcap: 3, hasSinks: true, valueSize: 5),
    Case(rows: 300, before: 1, window: 257, valueSize: 16),
    Case(rows: 65, before: 300, type: .f16),
    Case(rows: 13, before: 1, window: 9, valueSize: 17, size: 34, type: .f16),
    Case(rows: 130, before: 127, softcap: 3, valueSize: 33, size: 40, type: .int8),
    Case(rows: 300, before: 0, window: 257, valueSize: 5, type: .int8),
    Case(rows: 3, before: 290, valueSize: 19, size: 70, type: .int8),
    Case(rows: 1, before: 0, size: 16, type: .f16),
  ]

  @Test(arguments: cases) func tilesAreTheFormula(_ this: Case) {
    let (heads, shared, size) = (4, 2, this.size)
    var random = SeededRandom(seed: UInt64(this.rows))
    func vector(_ count: Int) -> [Float] {
      (0..<count).map { _ in Float.random(in: -3...3, using: &random) }
    }
    let positions = this.rows + this.before
    let attention = Attention(
      headCount: heads, keyValueHeadCount: shared, headSize: size, window: this.window,
      softcap: this.softcap, sinks: this.hasSinks ? vector(heads) : nil, valueSize: this.valueSize)
    let width = heads * size + 3
    let queries = Matrix(rows: this.rows, columns: width, values: vector(this.rows * width))
    let keys = CachedVectors(
      vector(positions * shared * size), heads: shared, size: size, as: this.type)
    let values = CachedVectors(
      vector(positions * shared * this.valueSize), heads: shared, size: this.valueSize,
      as: this.type)
    let found = attention.attend(
      queries: queries, keys: keys, values: values, on: WorkerPool(threads: 2))
    for row in 0..<this.rows {
      for head in 0..<heads {
        let expected = Self.formula(
          attention, query: Array(queries.row(row).dropFirst(head * size).prefix(size)),
          position: this.before + row, head: head, keys.values, values.values)
        let start = head * this.valueSize
        for (place, value) in expected.enumerated()
        where !(abs(Double(found[row, start + place]) - value) < 1e-5) {
          Issue.record("row \(row), head \(head): \(found[row, start + place]), not \(value)")
          return
        }
      }
    }
  }

  private static func formula(
    _ attention: Attention, query: [Float], position: Int, head: Int, _ keys: [Float],
    _ values: [Float]
  ) -> [Double] {
    let (size, shared) = (attention.headSize, attention.keyValueHeadCount)
    let part = head * shared / attention.headCount
    let first = attention.window.map { max(0, position + 1 - $0) } ?? 0
    let weights = (first...position).map { other in
      let start = (other * shared + part) * size
      let product = zip(query, keys[start..<start + size]).reduce(0) { sum, pair in
        sum + Double(pair.0) * Double(pair.1)
      }
      var score = product * Double(attention.scale)
      if let cap = attention.softcap.map(Double.init) { score = cap * tanh(score / cap) }
      return exp(score)
    }
    let sink = attention.sinks.map { exp(Double($0[head])) } ?? 0
    let total = weights.reduce(sink, +)
    return (0..<attention.valueSize).map { place in
      zip(first...position, weights).reduce(0) { sum, pair in
        let start = (pair.0 * shared + part) * attention.valueSize
        return sum + pair.1 * Double(values[start + place])
      } / total
    }
  }
}
