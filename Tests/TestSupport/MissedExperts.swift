import Compression

extension InputStatistics {
  /// Experts of which nothing of use is known.
  public var missedExperts: [Int] { experts.indices.filter { experts[$0]?.isMissed ?? true } }
}
