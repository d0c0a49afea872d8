import Glibc
import TestSupport
import Testing

@testable import Tensors

/// Many queries at once, in tiles, against the formula in double precision.
struct AttentionTileTests {
  struct Case: CustomTestStringConvertible, Sendable {
    /// Queries, and positions before them.
    let rows: Int, before: Int
    var window: Int?
    var softcap: Float?
    var hasSinks = false
    var valueSize = 8

    var testDescription: String {
      "\(rows) after \(before), window \(window ?? 0), cap \(softcap ?? 0), sinks \(hasSinks)"
    }
  }

  static let cases = [
    Case(rows: AttentionHeads.leastForTiles, before: 0),
    Case(rows: 64, before: 0, softcap: 5),
    Case(rows: 65, before: 300, hasSinks: true),
    Case(rows: 130, before: 127, window: 1),
    Case(rows: 130, before: 200, window: 40, softcap: 3, hasSinks: true, valueSize: 5),
    Case(rows: 300, before: 1, window: 257, valueSize: 16),
  ]

  @Test(arguments: cases) func tilesAreTheFormula(_ this: Case) {
    let (heads, shared, size) = (4, 2, 8)
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
    let keys = vector(positions * shared * size)
    let values = vector(positions * shared * this.valueSize)
    let found = attention.attend(
      queries: queries, keys: keys, values: values, on: WorkerPool(threads: 2))
    for row in 0..<this.rows {
      for head in 0..<heads {
        let expected = Self.formula(
          attention, query: Array(queries.row(row).dropFirst(head * size).prefix(size)),
          position: this.before + row, head: head, keys, values)
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
