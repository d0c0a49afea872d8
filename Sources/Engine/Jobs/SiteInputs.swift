import Checkpoints
import Compression
import Inference
import Tensors

/// What the layers of a site read, and the factors that were made of it.
struct SiteInputs {
  let site: InputSite?
  /// What methods fit.
  let fit: InputStatistics?
  /// What they are scored on.
  let score: InputStatistics?
  private(set) var factors: [HessianFactor.Order: HessianFactor] = [:]
  private var factorization: HessianFactorization?
  /// Whose factors these are, where experts read apart: those of one at a time, for they may be many.
  private var expert: Int?

  init(_ site: InputSite?, fit: InputStatistics?, score: InputStatistics?) {
    self.site = site
    self.fit = fit
    self.score = score
  }

  /// What an embedding reads that is only looked up.
  static func lookup(columns: Int) -> SiteInputs {
    let inputs = InputStatistics.lookup(columns: columns)
    return SiteInputs(nil, fit: inputs, score: inputs)
  }

  /// Makes the factor for an order of columns.
  ///
  /// - Parameters:
  ///   - order: The order.
  ///   - expert: Whose inputs they are; nil for all that is read. Calibration may have missed it: then there is no factor.
  ///   - isLate: Whether to leave the rest to another time.
  /// - Returns: whether there is more to do.
  mutating func stepFactor(
    _ order: HessianFactor.Order?, ofExpert expert: Int? = nil, until isLate: () -> Bool
  ) -> Bool {
    if self.expert != expert { (self.expert, factors, factorization) = (expert, [:], nil) }
    guard let order, factors[order] == nil, let gram = fit?.gram(ofExpert: expert) else {
      return false
    }
    var work = factorization ?? HessianFactorization(gram: gram, ordering: order)
    factorization = nil
    repeat { work.step() } while !work.isFinished && !isLate()
    factors[order] = work.finish()
    if factors[order] == nil { factorization = work }
    return factors[order] == nil
  }
}

extension InputStatistics {
  /// E[x x^T] of what an expert reads, if calibration did not miss it; of all that is read for nil.
  func gram(ofExpert expert: Int?) -> Matrix? {
    guard let expert else { return gram }
    return experts[expert].flatMap { $0.isMissed ? nil : $0.gram }
  }

  /// Of rows that are looked up one by one: columns weigh alike, and do not depend on each other.
  static func lookup(columns: Int) -> InputStatistics {
    var gram = Matrix(rows: columns, columns: columns)
    for column in 0..<columns { gram[column, column] = 1 }
    return InputStatistics(
      tokens: 1, means: Array(repeating: 0, count: columns),
      secondMoments: Array(repeating: 1, count: columns), gram: gram)
  }
}
