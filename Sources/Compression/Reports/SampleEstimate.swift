import Glibc
import Tensors

/// What a sample of compressed rows says of the whole layer.
struct SampleEstimate {
  let comparisons: [Comparison]
  private let sample: RowSample
  private let before: Matrix
  private let after: Matrix
  private let profile: RowProfile

  init(sample: RowSample, before: Matrix, after: Matrix, profile: RowProfile) {
    self.sample = sample
    self.before = before
    self.after = after
    self.profile = profile
    comparisons = (0..<before.rows).map { before.comparison(ofRow: $0, with: after) }
  }

  var error: WeightError {
    let size = Double(sample.size)
    // Each draw estimates a sum over all rows by a row's part over its probability; here relative to
    // the layer's energy.
    func draws(_ part: (Comparison) -> Double) -> [(count: Double, value: Double)] {
      zip(sample.draws, comparisons).map { draw, sums in
        let share = draw.probability * profile.energy
        return (Double(draw.count), share > 0 ? part(sums) / share : 0)
      }
    }
    func mean(_ part: (Comparison) -> Double) -> Double {
      draws(part).reduce(0) { $0 + $1.count * $1.value } / size
    }
    let noise = mean(\.noise)
    let variance = draws(\.noise).reduce(0) { sum, draw in
      sum + draw.count * (draw.value - noise) * (draw.value - noise)
    }
    let halfWidth =
      studentQuantile(freedom: size - 1) * (variance / (size * (size - 1))).squareRoot()
    let weights = Double(profile.energies.count * before.columns)
    // The energy before is known, so only what is added to it has to be estimated.
    let product = 1 + mean { $0.product - $0.signal }
    let result = 1 + mean { $0.result - $0.signal }
    return WeightError(
      mse: noise * profile.energy / weights, sqnr: decibels(signal: 1, noise: noise),
      sqnrBand: noise > 0 ? 10 * M_LOG10E * halfWidth / noise : 0,
      cosine: profile.energy > 0 ? cosine(product, 1, max(0, result)) : 1,
      maxError: Double(comparisons.map(\.largestError).max() ?? 0))
  }

  /// Share of zeros: of rows without energy, which are never drawn, and of the others.
  var zeroFraction: Double {
    let zeros = zip(shares, comparisons).reduce(0) { $0 + $1.0 * Double($1.1.zeros) }
    let all = Double(profile.energies.count)
    let empties = profile.energy > 0 ? Double(profile.zeroRows) : 0
    return (empties + (all - empties) * zeros / Double(before.columns)) / all
  }

  /// The layer's weights after compression, over the bins of those before.
  var weightsAfter: Histogram {
    let bins = profile.weights
    return spread(like: Histogram(lower: bins.lower, upper: bins.upper, bins: bins.counts.count)) {
      row in after.slice(row: row)
    }
  }

  var difference: Histogram {
    var bins = DifferenceHistogram()
    bins.widen(to: Double(comparisons.map(\.largestError).max() ?? 0))
    return spread(like: bins.histogram) { row in
      after.slice(row: row).subtracting(before.slice(row: row))
    }
  }

  /// How much of the layer's rows with energy each drawn row stands for; they add up to 1.
  private var shares: [Double] {
    let parts = sample.draws.map { Double($0.count) / max($0.probability, .leastNormalMagnitude) }
    let total = parts.reduce(0, +)
    return parts.map { $0 / total }
  }

  private func spread(like empty: Histogram, _ values: (Int) -> Matrix) -> Histogram {
    var parts = empty.counts.map { Double($0) }
    for (row, share) in shares.enumerated() {
      var counts = empty
      counts.add(values(row))
      for (bin, count) in counts.counts.enumerated() { parts[bin] += share * Double(count) }
    }
    let empties = profile.energy > 0 ? profile.zeroRows : 0
    let drawable = Double(profile.energies.count - empties)
    var zero = empty
    zero.add(Matrix(rows: 1, columns: 1))
    let counts = zip(zero.counts, parts).map { zero, part in
      zero * empties * before.columns + Int((part * drawable).rounded())
    }
    return Histogram(lower: empty.lower, upper: empty.upper, counts: counts)
  }
}

/// The 97.5 % quantile of Student's t (Cornish-Fisher expansion, good to 1 % from 4 degrees on).
private func studentQuantile(freedom: Double) -> Double {
  let z = 1.959_963_985
  let (z3, z5) = (z * z * z, z * z * z * z * z)
  return z + (z3 + z) / (4 * freedom) + (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom)
}

extension Matrix {
  /// One row as a matrix of its own.
  fileprivate func slice(row index: Int) -> Matrix {
    Matrix(rows: 1, columns: columns, values: Array(row(index)))
  }
}
