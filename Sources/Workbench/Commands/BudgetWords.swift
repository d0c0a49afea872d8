import Engine

/// What people type into the budget's field.
enum BudgetWords {
  /// Reads `90MB`, `4.5bpw` or `kld=0.05`; nil for anything else.
  static func target(_ text: String) -> BudgetTarget? {
    let word = text.lowercased().filter { !$0.isWhitespace }
    if word.hasPrefix("kld=") || word.hasPrefix("kld") {
      let number = word.dropFirst(word.hasPrefix("kld=") ? 4 : 3)
      return positive(number).map(BudgetTarget.divergence)
    }
    if word.hasSuffix("bpw") { return positive(word.dropLast(3)).map(BudgetTarget.bitsPerWeight) }
    for (unit, factor) in units where word.hasSuffix(unit) {
      guard let number = positive(word.dropLast(unit.count)) else { return nil }
      let bytes = (number * factor).rounded()
      return bytes >= 1 && bytes < 9e15 ? .bytes(Int(bytes)) : nil
    }
    return nil
  }

  private static func positive(_ text: some StringProtocol) -> Double? {
    guard let number = Double(text), number > 0, number.isFinite else { return nil }
    return number
  }

  /// Longer ones first, for all end in `b`.
  private static let units: [(String, Double)] = [
    ("kib", 1024), ("mib", 1_048_576), ("gib", 1_073_741_824), ("kb", 1e3), ("mb", 1e6),
    ("gb", 1e9), ("b", 1),
  ]

  /// The target as people say it.
  static func text(_ target: BudgetTarget) -> String {
    switch target {
    case .bytes(let bytes): Figures.totalBytes(bytes)
    case .bitsPerWeight(let bits): "\(Figures.fixed(bits, 2)) bpw"
    case .divergence(let divergence): "KLD \(Figures.significant(divergence))"
    }
  }
}
