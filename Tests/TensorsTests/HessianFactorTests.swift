import Tensors
import Testing

struct HessianFactorTests {
  /// E[x x^T] of `count` inputs.
  private static func gram(columns: Int, count: Int) -> Matrix {
    var random = SystemIndependentRandom(state: 5)
    let inputs = (0..<columns * count).map { _ in Float.random(in: -1...1, using: &random) }
    var sum = GramSum(columns: columns)
    sum.add(
      Matrix(rows: count, columns: columns, values: inputs), on: WorkerPool(threads: 1))
    return sum.mean()
  }

  /// How far U^T U is from the inverse of the damped and ordered Gram matrix: max |H (U^T U) - 1|.
  private static func flaw(_ factor: HessianFactor, gram: Matrix) -> Double {
    let size = factor.columns
    var worst = 0.0
    for row in 0..<size {
      // A row of H U^T, then times U.
      let hessian = (0..<size).map { column in
        Double(gram[factor.order[row], factor.order[column]] / factor.scale)
          + (row == column ? Double(factor.damping) : 0)
      }
      let left = (0..<size).map { i in
        (i..<size).reduce(0.0) { $0 + hessian[$1] * Double(factor.upper[i, $1]) }
      }
      for column in 0..<size {
        let sum = (0...column).reduce(0.0) { $0 + left[$1] * Double(factor.upper[$1, column]) }
        worst = max(worst, abs(sum - (row == column ? 1 : 0)))
      }
    }
    return worst
  }

  @Test(arguments: [1, 7, 128, 150], [HessianFactor.Order.falling, .stored])
  func invertsTheDampedMatrix(columns: Int, ordering: HessianFactor.Order) {
    let gram = Self.gram(columns: columns, count: 2 * columns)
    let factor = HessianFactor(gram: gram, ordering: ordering)
    #expect(factor.damping == HessianFactor.damping)
    #expect(Self.flaw(factor, gram: gram) < 1e-3)
    #expect((0..<columns).allSatisfy { row in (0..<row).allSatisfy { factor.upper[row, $0] == 0 } })
    let moments = factor.order.map { gram[$0, $0] }
    switch ordering {
    case .falling: #expect(moments == moments.sorted(by: >))
    case .stored: #expect(factor.order == Array(0..<columns))
    }
  }

  @Test func factorizesFewInputsThanColumns() {
    let gram = Self.gram(columns: 140, count: 3)
    let factor = HessianFactor(gram: gram)
    #expect(factor.damping.isFinite)
    #expect(Self.flaw(factor, gram: gram) < 1e-2)
  }

  @Test func takesInputsThatWereAlwaysZeroAsIndependent() {
    let factor = HessianFactor(gram: Matrix(rows: 9, columns: 9))
    #expect(factor.order == Array(0..<9))
    for row in 0..<9 {
      for column in 0..<9 {
        #expect(
          factor.upper[row, column].isFinite && (row == column) == (factor.upper[row, column] != 0))
      }
    }
  }

  @Test func dampsMoreWhereThatIsTooLittle() {
    // Not a Gram matrix: its least eigenvalue is -2.
    let gram = Matrix(rows: 2, columns: 2, values: [1, 3, 3, 1])
    let factor = HessianFactor(gram: gram)
    #expect(abs(factor.damping - 10) < 1e-4)
    #expect(Self.flaw(factor, gram: gram) < 1e-4)
  }

  @Test func nothingIsKnownOfInputsThatAreNotFinite() {
    let factor = HessianFactor(gram: Matrix(rows: 2, columns: 2, values: [.nan, 0, 0, 1]))
    #expect(factor.damping == .infinity)
    #expect(factor.upper == Matrix(rows: 2, columns: 2, values: [1, 0, 0, 1]))
  }

  @Test func stepsShowTheirProgress() {
    var work = HessianFactorization(gram: Self.gram(columns: 300, count: 20))
    var last = -1.0
    while !work.isFinished {
      #expect(work.finish() == nil)
      #expect(work.progress > last && work.progress < 1)
      last = work.progress
      work.step()
    }
    #expect(work.progress == 1)
  }
}

/// Numbers that are the same everywhere.
private struct SystemIndependentRandom: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ state >> 29
  }
}
