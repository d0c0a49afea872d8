/// SentencePiece's vocabularies have scores, tokenizer.json has merges instead.
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
