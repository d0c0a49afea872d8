/// SentencePiece's vocabularies have scores, tokenizer.json's merges; each can be said in terms of the other.
extension TokenizerDefinition {
  /// Every two tokens that are halves of a third, those with the best score first.
  package var mergesOfScores: [Merge] {
    var found: [(merge: Merge, score: Double)] = []
    for id in tokens.indices where scores[id].isFinite {
      found += halves(of: id).map { ($0, scores[id]) }
    }
    let order = found.indices.sorted { left, right in
      found[left].score != found[right].score
        ? found[left].score > found[right].score : left < right
    }
    return order.map { found[$0].merge }
  }

  /// Scores that give the same tokens as the merges; nil if there are none.
  ///
  /// They exist where merges are all that the vocabulary allows, and those that make one token follow one another.
  package var scoresOfMerges: [Double]? {
    var scores = Array(repeating: -Double.infinity, count: tokens.count)
    var made = 0
    var last: UInt32?
    for merge in merges where merge.result != last {
      guard scores[Int(merge.result)] == -.infinity else { return nil }
      scores[Int(merge.result)] = -Double(made)
      made += 1
      last = merge.result
    }
    let pairs = Set(merges.map { UInt64($0.left) << 32 | UInt64($0.right) })
    for id in tokens.indices where halves(of: id).contains(where: { !pairs.contains(UInt64($0.left) << 32 | UInt64($0.right)) }) {
      return nil
    }
    return scores
  }

  /// The ways to make a token of two others.
  private func halves(of id: Int) -> [Merge] {
    let range = tokens.byteRange(of: id)
    guard range.count > 1 else { return [] }
    return (range.lowerBound + 1..<range.upperBound).compactMap { middle in
      guard tokens.bytes[middle] & 0xc0 != 0x80,
        let left = tokens.id(of: tokens.bytes, in: range.lowerBound..<middle),
        let right = tokens.id(of: tokens.bytes, in: middle..<range.upperBound),
        scores.isEmpty || (scores[left].isFinite && scores[right].isFinite)
      else { return nil }
      return Merge(left: UInt32(left), right: UInt32(right), result: UInt32(id))
    }
  }
}
