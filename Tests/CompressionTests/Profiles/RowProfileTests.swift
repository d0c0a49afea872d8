@testable import Compression
import Tensors
import TestSupport
import Testing

struct RowProfileTests {
  static let weights = Matrix.heavyTailed(rows: 20, columns: 50, seed: 11)

  @Test func agreesWithThePlainDefinitions() throws {
    let layer = try #require(TestLayer(Self.weights))
    let profile = try #require(try layer.profile())
    let values = Self.weights.values
    for row in 0..<20 {
      let energy = Self.weights.row(row).reduce(0) { $0 + Double($1) * Double($1) }
      #expect(abs(profile.energies[row] / energy - 1) < 1e-12)
      let mean = Self.weights.row(row).reduce(0) { $0 + Double(abs($1)) } / 50
      #expect(abs(profile.meanMagnitudes[row] / mean - 1) < 1e-12)
    }
    #expect(profile.minimum == values.min() && profile.maximum == values.max())
    var histogram = Histogram(
      lower: Double(profile.minimum), upper: Double(profile.maximum), bins: RowProfile.bins)
    histogram.add(values)
    #expect(profile.weights == histogram)
    #expect(profile.weights.total == values.count)
  }

  @Test func slicesDoNotChangeAnything() throws {
    let layer = try #require(TestLayer(Self.weights))
    let profile = try #require(try layer.profile())
    var profiler = RowProfiler(matrix: layer.matrix, layer: "layer")
    while !profiler.isFinished { try profiler.step(rows: 1) }
    #expect(profiler.finish() == profile)
  }

  @Test func placesRanksAmongMagnitudes() throws {
    let layer = try #require(TestLayer(Self.weights))
    let profile = try #require(try layer.profile())
    let sorted = Self.weights.values.map(abs).sorted()
    for rank in [0, 1, 250, 500, 998, 999] {
      let place = profile.magnitudes.place(ofRank: rank)
      #expect(place.step == MagnitudeTable.step(of: sorted[rank]))
      #expect(place.below == sorted.count { MagnitudeTable.step(of: $0) < place.step })
      #expect(place.below <= rank && rank < place.below + place.inside)
    }
  }

  @Test func differenceHistogramsDoNotDependOnOrder() {
    var random = SeededRandom(seed: 2)
    let zero = Matrix(rows: 1, columns: 40)
    let slices = (0..<30).map { index in
      Matrix(
        rows: 1, columns: 40,
        values: (0..<40).map { _ in
          Float.random(in: -1...1, using: &random)
            * Float(sign: .plus, exponent: -index, significand: 1)
        })
    }
    func histogram(_ slices: some Sequence<Matrix>) -> Histogram {
      var result = DifferenceHistogram()
      for slice in slices {
        result.add(zero, slice, largest: slice.values.map(abs).max() ?? 0)
      }
      return result.histogram
    }
    let forwards = histogram(slices)
    #expect(forwards == histogram(slices.reversed()))
    #expect(forwards.total == 30 * 40)
    #expect(forwards.upper == 1 && forwards.lower == -1)
  }
}
