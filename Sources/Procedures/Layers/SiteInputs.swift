import Checkpoints
import Compression
import Inference
import Tensors
import Work

/// What the layers of a site read, and the factors that were made of it.
public struct SiteInputs {
  /// What methods fit.
  let fit: InputStatistics?
  /// What they are scored on.
  let score: InputStatistics?
  private(set) var factors: [HessianFactor.Order: HessianFactor] = [:]
  /// Whose factors these are, where experts read apart: those of one at a time, for they may be many.
  private var expert: Int?

  init(fit: InputStatistics?, score: InputStatistics? = nil) {
    self.fit = fit
    self.score = score
  }

  /// What an embedding reads that is only looked up.
  static func lookup(columns: Int) -> SiteInputs {
    let inputs = InputStatistics.lookup(columns: columns)
    return SiteInputs(fit: inputs, score: inputs)
  }

  /// The factor that a scheme sweeps with, made if it is not there yet.
  ///
  /// - Parameters:
  ///   - scheme: Whose order of columns it is in.
  ///   - expert: Whose inputs they are; nil for all that is read.
  ///   - pace: Of making it.
  /// - Returns: nil for schemes that sweep nothing, and for an expert that calibration missed.
  /// - Throws: ``WorkFailure`` when the pace ends it.
  mutating func factor(
    for scheme: Scheme, ofExpert expert: Int? = nil, pace: Pace
  ) throws(WorkFailure) -> HessianFactor? {
    if self.expert != expert { (self.expert, factors) = (expert, [:]) }
    guard let order = scheme.sweepOrder, let gram = fit?.gram(ofExpert: expert) else { return nil }
    if let known = factors[order] { return known }
    var work = HessianFactorization(gram: gram, ordering: order)
    while !work.isFinished {
      work.step()
      try pace.tick(work.progress)
    }
    factors[order] = work.finish()
    return factors[order]
  }
}

extension InputStatistics {
  /// E[x x^T] of what an expert reads, if calibration did not miss it; of all that is read for nil.
  func gram(ofExpert expert: Int?) -> Matrix? {
    guard let expert else { return gram }
    return experts[expert].flatMap { $0.isMissed ? nil : $0.gram }
  }

  /// Of rows that are looked up one by one: columns weigh alike, and do not depend on each other.
  public static func lookup(columns: Int) -> InputStatistics {
    var gram = Matrix(rows: columns, columns: columns)
    for column in 0..<columns { gram[column, column] = 1 }
    return InputStatistics(
      tokens: 1, means: Array(repeating: 0, count: columns),
      secondMoments: Array(repeating: 1, count: columns), gram: gram)
  }
}
