import Compression

/// What stands behind `:prune`: a kind and how many, or `none`.
enum PruneWords: Hashable, Sendable {
  /// The whole model again.
  case none
  /// Neurons that each MLP keeps.
  case neurons(KeptCount)
  /// Key and value heads that each block keeps.
  case heads(KeptCount)
  /// Experts that each mixture keeps.
  case experts(KeptCount)
  /// Blocks that are left out.
  case blocks(Int)

  /// Reads `neurons 75%`, `heads 2`, `experts 50%`, `blocks 4` or `none`; nil for anything else.
  init?(_ text: String) {
    let words = text.split(separator: " ")
    guard let kind = words.first.flatMap({ Kind(rawValue: String($0)) }) else { return nil }
    switch (kind, words.count) {
    case (.none, 1): self = .none
    case (.neurons, 2):
      guard let count = KeptCount(words[1]) else { return nil }
      self = .neurons(count)
    case (.heads, 2):
      guard let count = KeptCount(words[1]) else { return nil }
      self = .heads(count)
    case (.experts, 2):
      guard let count = KeptCount(words[1]) else { return nil }
      self = .experts(count)
    case (.blocks, 2):
      guard let count = Int(words[1]), count >= 0 else { return nil }
      self = .blocks(count)
    default: return nil
    }
  }

  /// The first word.
  enum Kind: String, CaseIterable, Hashable, Sendable {
    case neurons, heads, experts, blocks, none

    /// What may stand behind it, with what that does.
    var examples: [(text: String, help: String)] {
      switch self {
      case .neurons:
        [("75%", "of the MLP's neurons stay"), ("1024", "neurons stay in each MLP")]
      case .heads: [("1", "key and value head stays in each block"), ("2", "of them stay")]
      case .experts:
        [("50%", "of a mixture's experts stay"), ("16", "experts stay in each mixture")]
      case .blocks: [("1", "block is left out"), ("2", "blocks are left out")]
      case .none: []
      }
    }

    var help: String {
      switch self {
      case .neurons: "keeps a share or number of each MLP's neurons"
      case .heads: "keeps so many key and value heads a block"
      case .experts: "keeps a share or number of each mixture's experts"
      case .blocks: "leaves so many blocks out"
      case .none: "takes nothing from the model"
      }
    }
  }

  /// The structure to ask for in place of `structure`, and how many blocks to choose anew.
  func request(
    changing structure: ModelStructure?, of whole: PrunableSizes
  ) -> (structure: ModelStructure, blockCount: Int?) {
    var wanted = structure ?? ModelStructure()
    switch self {
    case .none: return (ModelStructure(), nil)
    case .neurons(let count):
      wanted.neurons = count.count(
        of: whole.neurons, inMultiplesOf: ModelStructure.neuronMultiple)
    case .heads(let count): wanted.keyValueHeads = count.count(of: whole.keyValueHeads)
    case .experts(let count): wanted.experts = count.count(of: whole.experts)
    case .blocks(let count): return (wanted, count)
    }
    return (wanted, nil)
  }
}
