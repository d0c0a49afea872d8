import Compression
import Tensors

/// Sums over what the layers of a site read: all of it, and what each expert reads where that differs.
struct SiteSums: Sendable {
  private let columns: Int
  private let need: CalibrationNeed
  private var whole: InputSums?
  private var experts: [Int: InputSums] = [:]

  init(columns: Int, need: CalibrationNeed) {
    (self.columns, self.need) = (columns, need)
  }

  /// Adds what was read in one go.
  mutating func add(_ inputs: SiteInputs, weights: [Float]?, on pool: WorkerPool) {
    // Pairs of channels are of use to each expert by itself only.
    let wholeNeed = inputs.expert == nil ? need : min(need, .moments)
    // Added to in place: a second reference would have sums of all pairs copied each time.
    if whole == nil { whole = InputSums(columns: columns, need: wholeNeed) }
    whole?.add(inputs.vectors, weights: weights, on: pool)
    guard let expert = inputs.expert else { return }
    experts[expert, default: InputSums(columns: columns, need: need)]
      .add(inputs.vectors, weights: weights, on: pool)
  }

  mutating func add(_ other: SiteSums) {
    if let more = other.whole {
      if whole == nil { whole = more } else { whole?.add(more) }
    }
    for (expert, more) in other.experts {
      if experts[expert] == nil { experts[expert] = more } else { experts[expert]?.add(more) }
    }
  }

  /// nil before the first vector; with a part for each of `count` experts where they read apart.
  func statistics(ofExperts count: Int?) -> InputStatistics? {
    guard let found = whole?.statistics else { return nil }
    guard let count, !experts.isEmpty else { return found }
    return found.with(experts: (0..<count).map { experts[$0]?.statistics })
  }
}

/// Sums over vectors that are read alike.
struct InputSums: Sendable {
  private var count = 0
  private var moments: MomentSums
  private var gram: GramSum?

  /// Sums over no vector of `columns` values, with those of all pairs where `need` is a Gram matrix.
  init(columns: Int, need: CalibrationNeed) {
    moments = MomentSums(columns: columns)
    gram = need == .gram ? GramSum(columns: columns) : nil
  }

  /// Adds one vector a row.
  ///
  /// - Parameters:
  ///   - inputs: The vectors.
  ///   - weights: How much each counts in the Gram matrix, 0 or more; nil for all alike.
  ///   - pool: The threads that share the work.
  mutating func add(_ inputs: Matrix, weights: [Float]? = nil, on pool: WorkerPool) {
    count += inputs.rows
    moments.add(inputs)
    guard gram != nil else { return }
    var weighed = inputs
    if let weights { weighed.scaleRows(by: weights.map { $0.squareRoot() }) }
    gram?.add(weighed, on: pool)
  }

  mutating func add(_ other: InputSums) {
    count += other.count
    moments.add(other.moments)
    if let gram = other.gram { self.gram?.add(gram) }
  }

  /// nil before the first vector.
  var statistics: InputStatistics? {
    guard count > 0 else { return nil }
    let tokens = Double(count)
    return InputStatistics(
      tokens: count, means: moments.sums.map { Float($0 / tokens) },
      secondMoments: moments.squares.map { Float($0 / tokens) }, gram: gram?.mean())
  }
}
