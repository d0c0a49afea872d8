/// Which weights of a layer may be zeroed together.
public enum SparsityPattern: Codable, Hashable, Sendable {
  /// Any, up to this share of the layer: 0 < ratio < 1.
  case unstructured(ratio: Double)
  /// Of every `of` consecutive weights of a row, `kept` survive: 2:4 keeps 2 of 4.
  case structured(kept: Int, of: Int)

  /// The share of weights that become zero.
  public var ratio: Double {
    switch self {
    case .unstructured(let ratio): ratio
    case .structured(let kept, let of): 1 - Double(kept) / Double(of)
    }
  }
}

extension SparsityPattern {
  /// What a word such as `50%`, `0.5` or `2:4` says; nil for others.
  public init?(_ word: some StringProtocol) {
    let parts = word.split(separator: ":", omittingEmptySubsequences: false)
    if parts.count == 2 {
      guard let kept = Int(parts[0]), let of = Int(parts[1]) else { return nil }
      self = .structured(kept: kept, of: of)
      return
    }
    let isPercent = word.hasSuffix("%")
    guard let number = Double(String(isPercent ? word.dropLast() : word[...])) else { return nil }
    let ratio = isPercent ? number / 100 : number
    guard ratio > 0, ratio < 1 else { return nil }
    self = .unstructured(ratio: ratio)
  }
}

/// What makes a weight worth keeping.
public enum PruningMethod: String, Codable, Hashable, Sendable, CaseIterable {
  /// Its absolute value.
  case magnitude
  /// Its absolute value times the root of its input's second moment, within each row.
  case wanda
  /// What its loss costs after the weights left have made up for it.
  case sparsegpt
}

/// Zeros put into a layer, chosen by a criterion in a pattern.
public struct SparsityScheme: Codable, Hashable, Sendable {
  public var pattern: SparsityPattern
  public var method: PruningMethod

  public init(pattern: SparsityPattern, method: PruningMethod = .magnitude) {
    self.pattern = pattern
    self.method = method
  }
}
