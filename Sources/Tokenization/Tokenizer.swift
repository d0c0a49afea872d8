import Checkpoints

/// Byte-level BPE: text to token ids and back, with the ids that the model was trained on.
///
/// Source: Sennrich et al. 2016 (merges), Radford et al. 2019 (bytes); ids equal those of the
/// `tokenizers` library.
public struct Tokenizer: Sendable {
  /// The token that starts a text, if the model has one.
  public let beginToken: Int?
  /// Whether a raw text starts with ``beginToken``.
  public let addsBeginToken: Bool
  /// Tokens after which an answer is complete.
  public let endTokens: Set<Int>
  /// How the model expects messages to be written; nil if it says nothing.
  public let chatTemplate: ChatTemplate?

  private let vocabulary: Vocabulary
  private let merges: MergeTable
  private let addedTokens: AddedTokenFinder
  private let preTokenizer: TokenizerDefinition.PreTokenizer
  private let ignoresMerges: Bool

  /// Longest word in bytes, and most words, whose tokens one call of ``encode`` remembers.
  private static let cacheLimits = (bytes: 64, words: 1 << 16)

  /// Builds the tables that encoding needs.
  ///
  /// - Throws: ``TokenizerError`` when merges or added tokens name tokens that there are not.
  public init(_ definition: TokenizerDefinition) throws(TokenizerError) {
    vocabulary = try Vocabulary(definition)
    merges = try vocabulary.mergeTable(definition)
    addedTokens = AddedTokenFinder(definition.addedTokens)
    preTokenizer = definition.preTokenizer
    ignoresMerges = definition.ignoresMerges
    beginToken = definition.beginToken
    addsBeginToken = definition.addsBeginToken && beginToken != nil
    chatTemplate = ChatTemplate(definition)
    endTokens = definition.endTokens.union([chatTemplate?.endToken].compactMap(\.self))
  }

  /// Number of ids, used or not: every id is smaller.
  public var vocabularySize: Int { vocabulary.bytes.count }

  /// Whether `id` is a control token, which is no part of an answer's text.
  public func isSpecial(_ id: Int) -> Bool { vocabulary.specialTokens.contains(id) }

  /// The bytes that a token stands for, maybe part of a character; none for an id that is not used.
  public func bytes(of id: Int) -> [UInt8] {
    vocabulary.bytes.indices.contains(id) ? vocabulary.bytes[id] : []
  }

  /// The text of one token, for people: incomplete characters show as U+FFFD.
  public func text(of id: Int) -> String {
    String(decoding: bytes(of: id), as: UTF8.self)
  }

  /// The ids of `text`; no begin token is added.
  ///
  /// Unless `allowsSpecialTokens`, control tokens that `text` spells out are text like any other, so
  /// that what a user types cannot end a turn.
  public func encode(_ text: String, allowsSpecialTokens: Bool) -> [Int] {
    let scanner = ScalarScanner(Array(text.utf8))
    let splitter = WordSplitter(scanner, preTokenizer)
    var cache: [[UInt8]: [Int]] = [:]
    var ids: [Int] = []
    for part in addedTokens.parts(of: scanner, allowsSpecialTokens: allowsSpecialTokens) {
      switch part {
      case .token(let id): ids.append(id)
      case .text(let range):
        var start = range.lowerBound
        while start < range.upperBound {
          let end = splitter.endOfWord(from: start, to: range.upperBound)
          ids += encode(word: Array(scanner.bytes[start..<end]), &cache)
          start = end
        }
      }
    }
    return ids
  }

  private func encode(word: [UInt8], _ cache: inout [[UInt8]: [Int]]) -> [Int] {
    if let known = cache[word] { return known }
    let ids: [Int]
    if ignoresMerges, let id = vocabulary.id(of: word) {
      ids = [Int(id)]
    } else {
      let bytes = word.compactMap { vocabulary.byteTokens[Int($0)] }
      ids = WordMerger.merge(bytes, merges).map(Int.init)
    }
    if word.count <= Self.cacheLimits.bytes, cache.count < Self.cacheLimits.words {
      cache[word] = ids
    }
    return ids
  }

  /// The text of `ids`; bytes that are no valid UTF-8 become U+FFFD.
  public func decode(_ ids: [Int], skipsSpecialTokens: Bool) -> String {
    var bytes: [UInt8] = []
    for id in ids where !(skipsSpecialTokens && isSpecial(id)) { bytes += self.bytes(of: id) }
    return String(decoding: bytes, as: UTF8.self)
  }
}
