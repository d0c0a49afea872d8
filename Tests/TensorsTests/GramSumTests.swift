import Tensors
import Testing

struct GramSumTests {
  private let pool = WorkerPool(threads: 2)

  /// The mean of x x^T by the book.
  private func mean(of vectors: [Matrix]) -> [Double] {
    let columns = vectors[0].columns
    var sums = [Double](repeating: 0, count: columns * columns)
    for part in vectors {
      for row in 0..<part.rows {
        let x = part.row(row).map(Double.init)
        for first in 0..<columns {
          for second in 0..<columns { sums[first * columns + second] += x[first] * x[second] }
        }
      }
    }
    let count = Double(vectors.reduce(0) { $0 + $1.rows })
    return sums.map { $0 / count }
  }

  /// One tile, several, and a last one of a single column.
  @Test(arguments: [1, 7, 192, 200, 385])
  func equalsTheMeanByTheBook(columns: Int) {
    var noise = Noise(seed: columns)
    let parts = [3, 1, 6].map {
      Matrix(rows: $0, columns: columns, values: noise.values($0 * columns))
    }
    var sum = GramSum(columns: columns)
    var other = GramSum(columns: columns)
    sum.add(parts[0], on: pool)
    sum.add(parts[1], on: pool)
    other.add(parts[2], on: pool)
    sum.add(other)
    #expect(sum.count == 10)
    let expected = mean(of: parts)
    let found = sum.mean()
    let largest = zip(found.values, expected).map { abs(Double($0) - $1) }.max() ?? .infinity
    #expect(largest < 1e-6)
    #expect(
      (0..<columns).allSatisfy { row in
        (0..<row).allSatisfy { found[row, $0] == found[$0, row] }
      })
  }

  @Test func noVectorGivesZeros() {
    var sum = GramSum(columns: 3)
    sum.add(Matrix(rows: 0, columns: 3), on: pool)
    #expect(sum.count == 0 && sum.mean().values == Array(repeating: 0, count: 9))
  }
}
