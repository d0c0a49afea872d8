import Checkpoints

/// Turns words into tokens as the vocabulary's model does.
struct WordEncoder: Sendable {
  private enum Rules: Sendable {
    case merges(MergeTable)
    case scores(ScoreRanking)
    case unigram(UnigramModel)
  }

  /// Longest token of a unigram vocabulary in bytes: every place of a text is compared with all of them.
  private static let pieceLimit = 1024

  /// What is used again from word to word.
  struct Scratch: Sendable {
    var cache = WordCache()
    fileprivate var merger = WordMerger()
    fileprivate var parts: [WordMerger.Part] = []
  }

  private let vocabulary: Vocabulary
  private let rules: Rules
  private let ignoresMerges: Bool
  private let writesBytes: Bool
  private let fallsBackToBytes: Bool
  private let unknownToken: UInt32?
  private let fusesUnknown: Bool

  init(_ definition: TokenizerDefinition, _ vocabulary: Vocabulary) throws(TokenizerError) {
    self.vocabulary = vocabulary
    ignoresMerges = definition.ignoresMerges
    writesBytes = definition.model == .bytePairs
    fallsBackToBytes = definition.fallsBackToBytes
    fusesUnknown = definition.fusesUnknown
    unknownToken = definition.unknownToken.flatMap {
      definition.tokens.indices.contains($0) ? UInt32($0) : nil
    }
    let count = UInt32(definition.tokens.count)
    guard definition.merges.allSatisfy({ max($0.left, $0.right, $0.result) < count }) else {
      throw TokenizerError(
        source: definition.source, reason: "a merge names a token that is not in the vocabulary")
    }
    if definition.model == .unigram,
      let id = definition.tokens.indices.first(where: {
        definition.tokens.byteRange(of: $0).count > Self.pieceLimit
      })
    {
      throw TokenizerError(
        source: definition.source, reason: "the token \(id) is longer than \(Self.pieceLimit) bytes"
      )
    }
    switch definition.model {
    case .bytePairs: rules = .merges(MergeTable(definition.merges))
    case .unigram: rules = .unigram(UnigramModel(definition))
    case .sentencePiece:
      rules =
        definition.scores.isEmpty
        ? .merges(MergeTable(definition.merges)) : .scores(ScoreRanking(definition))
    }
  }

  /// Appends the ids of the words in a text.
  func encode(
    _ words: [Range<Int>], of text: TextScanner, _ scratch: inout Scratch, into ids: inout [Int]
  ) {
    var cache = WordCache()
    swap(&cache, &scratch.cache)
    switch rules {
    case .merges(let table):
      for word in words {
        cache.append(text.bytes, word, to: &ids) { merge(text, word, table, &scratch, &$0) }
      }
    case .scores(let scores):
      let ranking = scores.ranking(of: text.bytes)
      for word in words {
        cache.append(text.bytes, word, to: &ids) { merge(text, word, ranking, &scratch, &$0) }
      }
    case .unigram(let model):
      for word in words {
        cache.append(text.bytes, word, to: &ids) { ids in
          finish(model.parts(of: text, word), text.bytes, &ids)
        }
      }
    }
    swap(&cache, &scratch.cache)
  }

  private func merge(
    _ text: TextScanner, _ word: Range<Int>, _ ranking: some MergeRanking,
    _ scratch: inout Scratch, _ ids: inout [UInt32]
  ) {
    if ignoresMerges, let id = vocabulary.token(of: text.bytes, in: word) {
      ids.append(id)
      return
    }
    begin(&scratch.parts, text, word)
    scratch.merger.merge(&scratch.parts, ranking)
    finish(scratch.parts, text.bytes, &ids)
  }

  /// The parts of a word before anything is merged: bytes or characters.
  func begin(_ parts: inout [WordMerger.Part], _ text: TextScanner, _ word: Range<Int>) {
    parts.removeAll(keepingCapacity: true)
    guard writesBytes else { return addCharacters(of: text, word, &parts) }
    for place in word {
      guard let token = vocabulary.byteTokens[Int(text.bytes[place])] else { continue }
      parts.append(WordMerger.Part(token: token, start: place, end: place + 1))
    }
  }

  private func addCharacters(
    of text: TextScanner, _ word: Range<Int>, _ parts: inout [WordMerger.Part]
  ) {
    var place = word.lowerBound
    while place < word.upperBound {
      let end = text.value(at: place).end
      let token = vocabulary.token(of: text.bytes, in: place..<end)
      parts.append(
        WordMerger.Part(token: token ?? WordMerger.Part.unknown, start: place, end: end))
      place = end
    }
  }

  /// Appends tokens, with the bytes of what no token spells, or the unknown token, in between.
  private func finish(
    _ parts: [WordMerger.Part], _ text: [UInt8], _ ids: inout [UInt32]
  ) {
    var followsUnknown = false
    for part in parts {
      guard part.token == WordMerger.Part.unknown else {
        ids.append(part.token)
        followsUnknown = false
        continue
      }
      if fallsBackToBytes {
        let bytes = text[part.start..<part.end].compactMap { vocabulary.byteTokens[Int($0)] }
        if bytes.count == part.end - part.start {
          ids += bytes
          followsUnknown = false
          continue
        }
      }
      if let unknownToken, !(followsUnknown && fusesUnknown) { ids.append(unknownToken) }
      followsUnknown = true
    }
  }
}
