import Engine

/// What the workbench prints of budgets; ``BudgetTarget/init(_:)`` reads it back.
enum BudgetWords {
  /// The target as people say it.
  static func text(_ target: BudgetTarget) -> String {
    switch target {
    case .bytes(let bytes): Figures.totalBytes(bytes)
    case .bitsPerWeight(let bits): "\(Figures.fixed(bits, 2)) bpw"
    case .divergence(let divergence): "KLD \(Figures.significant(divergence))"
    }
  }
}
