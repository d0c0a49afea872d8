/// How many of a kind structured pruning keeps: a number, or a share of those there are.
public enum KeptCount: Codable, Hashable, Sendable {
  case count(Int)
  /// Above 0, at most 1.
  case share(Double)

  /// Reads `1024` or `75%`; nil for anything else.
  public init?(_ text: some StringProtocol) {
    if text.hasSuffix("%") {
      guard let percent = Double(text.dropLast()), percent > 0, percent <= 100 else { return nil }
      self = .share(percent / 100)
    } else {
      guard let count = Int(text), count > 0 else { return nil }
      self = .count(count)
    }
  }

  /// How many of `all` that is; a share becomes the nearest multiple, and one at least.
  public func count(of all: Int, inMultiplesOf multiple: Int = 1) -> Int {
    switch self {
    case .count(let count): return count
    case .share(let share):
      guard share < 1 else { return all }
      return max(Int((share * Double(all) / Double(multiple)).rounded()), 1) * multiple
    }
  }
}
