import Checkpoints

/// Which neighbouring tokens merge, when, and into what.
protocol MergeRanking {
  /// The merge of two neighbours; lower ranks are applied first.
  func merge(_ left: WordMerger.Part, _ right: WordMerger.Part) -> (rank: UInt32, result: UInt32)?
}

/// Merges in the order that a vocabulary lists them.
struct MergeTable: MergeRanking, Sendable {
  private var pairs: PairTable

  init(_ merges: [TokenizerDefinition.Merge]) {
    pairs = PairTable(capacity: merges.count)
    for (rank, merge) in merges.enumerated() {
      pairs.add(merge.left, merge.right, UInt32(rank), merge.result)
    }
  }

  @inline(__always)
  func merge(_ left: WordMerger.Part, _ right: WordMerger.Part) -> (rank: UInt32, result: UInt32)? {
    pairs.find(left.token, right.token)
  }
}

/// Merges of any neighbours whose texts together are a token, best score first.
struct ScoreRanking: Sendable {
  private let table: TokenTable
  /// By token; nil where no text becomes it.
  private let ranks: [UInt32?]

  init(_ definition: TokenizerDefinition) {
    table = definition.tokens
    ranks = definition.scores.map { $0.isFinite ? Self.rank(of: $0) : nil }
  }

  /// A number that is the lower the better the score is.
  private static func rank(of score: Double) -> UInt32 {
    let bits = (-Float(score)).bitPattern
    return bits & 0x8000_0000 != 0 ? ~bits : bits | 0x8000_0000
  }

  /// The ranking of the words in one text.
  func ranking(of text: [UInt8]) -> OfText { OfText(text: text, scores: self) }

  struct OfText: MergeRanking {
    let text: [UInt8]
    let scores: ScoreRanking

    @inline(__always)
    func merge(
      _ left: WordMerger.Part, _ right: WordMerger.Part
    ) -> (rank: UInt32, result: UInt32)? {
      guard let id = scores.table.id(of: text, in: left.start..<right.end),
        let rank = scores.ranks[id]
      else { return nil }
      return (rank, UInt32(id))
    }
  }
}
