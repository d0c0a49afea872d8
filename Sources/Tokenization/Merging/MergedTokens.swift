import Checkpoints

/// What merges make of the text of each token of a vocabulary.
///
/// Two tokens come to lie side by side in a text only if they do so in the text of just these two. Their outer ends are ends
/// of tokens, so no merge reached over them before, and what happened between them was the same as without the rest of the
/// text. What merges make of a token's own text therefore tells by which merge it is made anywhere, if it is.
public struct MergedTokens: Sendable {
  /// How a token comes about.
  public enum Origin: Hashable, Sendable {
    /// It is not merged: it has one character (or for byte-level BPE one byte), or is looked for in texts before.
    case whole
    /// By the merge of this rank, and by no other.
    case merge(rank: Int)
    /// Never: its text becomes two parts, the second of which begins at this byte of it.
    case halves(at: Int)
    /// Never: its text becomes more parts.
    case parts
  }

  /// By token.
  public let origins: [Origin]

  /// Merges the text of every token.
  ///
  /// - Precondition: a model that has merges.
  /// - Throws: ``TokenizerError`` when merges name tokens that there are not.
  public init(_ definition: TokenizerDefinition) throws(TokenizerError) {
    precondition(definition.model != .unigram, "has merges")
    let vocabulary = try Vocabulary(definition)
    let encoder = try WordEncoder(definition, vocabulary)
    let merges = MergeTable(definition.merges)
    let added = Set(definition.addedTokens.map(\.id))
    var merger = WordMerger()
    var parts: [WordMerger.Part] = []
    origins = definition.tokens.indices.map { id in
      let range = definition.tokens.byteRange(of: id)
      guard !range.isEmpty, !added.contains(id) else { return .whole }
      let spelled = definition.tokens.bytes[range]
      let text =
        definition.model == .bytePairs ? ByteAlphabet.bytes(of: spelled) : Array(spelled)
      encoder.begin(&parts, TextScanner(text), text.indices)
      guard parts.count > 1 else { return .whole }
      let rank = merger.merge(&parts, merges)
      switch parts.count {
      case 1: return rank.map { .merge(rank: Int($0)) } ?? .whole
      case 2: return .halves(at: parts[1].start)
      default: return .parts
      }
    }
  }

  /// The tokens that are not made, though two parts side by side spell them.
  public var halved: [Int] {
    origins.indices.filter { if case .halves = origins[$0] { true } else { false } }
  }

  /// The tokens that no merges make.
  public var unmade: [Int] {
    origins.indices.filter {
      switch origins[$0] {
      case .halves, .parts: true
      case .whole, .merge: false
      }
    }
  }

  /// Scores in the order of the merges, for programs that merge any neighbours whose texts together are a token, best score
  /// first.
  ///
  /// All texts become the same tokens there if no token is ``halved``: neighbours that merges would not join never lie side by
  /// side, and each token has the rank of the one merge that makes it. Tokens that are not made have the worst score.
  public var scores: [Double] {
    let last = origins.reduce(0) { worst, origin in
      if case .merge(let rank) = origin { max(worst, rank + 1) } else { worst }
    }
    return origins.map { origin in
      switch origin {
      case .whole: -.infinity
      case .merge(let rank): -Double(rank)
      case .halves, .parts: -Double(last)
      }
    }
  }
}
