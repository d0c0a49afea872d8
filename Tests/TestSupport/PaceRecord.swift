import Work

/// Hears how far work has come, and ends it where a test wants that.
public final class PaceRecord {
  public private(set) var shares: [Double] = []
  private let limit: Double

  /// - Parameter limit: The first share at which the work is ended; none by default.
  public init(endingAt limit: Double = .infinity) { self.limit = limit }

  public var pace: Pace {
    Pace { [self] share throws(WorkFailure) in
      shares.append(share)
      if share >= limit - 1e-9 { throw .cancelled }
    }
  }

  /// Whether shares rose all the way, and ended at one.
  public var isComplete: Bool {
    shares == shares.sorted() && shares.allSatisfy { $0 >= 0 && $0 < 1 + 1e-9 }
      && shares.last.map { abs($0 - 1) < 1e-9 } == true
  }
}
