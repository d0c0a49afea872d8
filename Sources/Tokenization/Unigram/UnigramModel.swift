import Checkpoints

/// A unigram vocabulary: the tokens of a text are those whose scores sum up to most.
///
/// Source: Kudo 2018; found as SentencePiece and `tokenizers` find them, character by character from the left (Viterbi).
struct UnigramModel: Sendable {
  private let trie: TokenTrie<UInt8>
  private let scores: [Double]
  private let unknownScore: Double

  /// How much worse a character that no token spells is than the worst token.
  private static let unknownPenalty = 10.0

  init(_ definition: TokenizerDefinition) {
    let (table, scores) = (definition.tokens, definition.scores)
    let ids = table.indices.filter { $0 < scores.count && scores[$0].isFinite }
    trie = TokenTrie(ids.map { (table.bytes[table.byteRange(of: $0)], $0) })
    self.scores = scores
    unknownScore = (ids.map { scores[$0] }.min() ?? 0) - Self.unknownPenalty
  }

  /// The best way to reach a place of the text.
  private struct Path {
    var score = -Double.infinity
    var token = WordMerger.Part.unknown
    var start = 0
  }

  /// The tokens of the text in `range`.
  func parts(of text: TextScanner, _ range: Range<Int>) -> [WordMerger.Part] {
    var paths = Array(repeating: Path(), count: range.count + 1)
    paths[0].score = 0
    var place = range.lowerBound
    while place < range.upperBound {
      let (score, next) = (paths[place - range.lowerBound].score, text.value(at: place).end)
      var hasCharacter = false
      trie.forEachMatch(in: text.bytes, from: place, to: range.upperBound) { end, token in
        if end == next { hasCharacter = true }
        let sum = score + scores[token]
        if sum > paths[end - range.lowerBound].score {
          paths[end - range.lowerBound] = Path(score: sum, token: UInt32(token), start: place)
        }
      }
      if !hasCharacter, score + unknownScore > paths[next - range.lowerBound].score {
        paths[next - range.lowerBound] = Path(
          score: score + unknownScore, token: WordMerger.Part.unknown, start: place)
      }
      place = next
    }
    var parts: [WordMerger.Part] = []
    while place > range.lowerBound {
      let path = paths[place - range.lowerBound]
      parts.append(WordMerger.Part(token: path.token, start: path.start, end: place))
      place = path.start
    }
    return parts.reversed()
  }
}
