import Checkpoints

/// Text to token ids and back, with the ids that the model was trained on.
///
/// Byte-level BPE, SentencePiece's BPE with byte fallback, and unigram; ids equal those of the `tokenizers` library.
/// Sources: Sennrich et al. 2016 (merges), Radford et al. 2019 (bytes), Kudo and Richardson 2018 (SentencePiece).
public struct Tokenizer: Sendable {
  /// The token that starts a text, if the model has one.
  public let beginToken: Int?
  /// Whether a raw text starts with ``beginToken``.
  public let addsBeginToken: Bool
  /// All tokens that a raw text starts with, ``beginToken`` the last; none unless ``addsBeginToken``.
  public let openingTokens: [Int]
  /// The token that a whole text ends with, if the tokenizer adds one; a prompt that is gone on with has none.
  public let closingToken: Int?
  /// Tokens after which an answer is complete.
  public let endTokens: Set<Int>
  /// How the model expects messages to be written; nil if it says nothing.
  public let chatTemplate: ChatTemplate?

  /// Longest added token in bytes.
  private static let addedTokenLimit = 1024

  private let vocabulary: Vocabulary
  private let encoder: WordEncoder
  private let cutter: TextCutter
  private let normalizer: TextNormalizer
  /// Those that are looked for in the text as it is, and in normalized text.
  private let addedTokens: AddedTokenFinder
  private let normalizedTokens: AddedTokenFinder
  private let boundaries: WordBoundaries
  private let cutsAtMarks: Bool
  private let stripsFirstSpace: Bool
  private let scratch = ScratchStore()

  /// Builds the tables that encoding needs.
  ///
  /// - Throws: ``TokenizerError`` when merges or added tokens name tokens that there are not, or text is cut or normalized by
  ///   a pattern that is not read.
  public init(_ definition: TokenizerDefinition) throws(TokenizerError) {
    // Every place of a text is compared with all of them.
    if let token = definition.addedTokens.first(where: { $0.text.utf8.count > Self.addedTokenLimit }
    ) {
      throw TokenizerError(
        source: definition.source,
        reason: "the added token \(token.id) is longer than \(Self.addedTokenLimit) bytes")
    }
    vocabulary = try Vocabulary(definition)
    encoder = try WordEncoder(definition, vocabulary)
    cutter = try TextCutter(definition.preTokenizer, source: definition.source)
    let normalizer = try TextNormalizer(definition.normalizations, source: definition.source)
    self.normalizer = normalizer
    addedTokens = AddedTokenFinder(definition.addedTokens.filter { !$0.isNormalized })
    normalizedTokens = AddedTokenFinder(definition.addedTokens.filter(\.isNormalized)) {
      normalizer.normalize($0)
    }
    boundaries = WordBoundaries(definition.tokens)
    cutsAtMarks = definition.model != .bytePairs && definition.marksSpaces
    stripsFirstSpace = definition.stripsFirstSpace
    beginToken = definition.beginToken
    openingTokens = definition.openingTokens
    addsBeginToken = definition.addsBeginToken && beginToken != nil
    closingToken = definition.closingToken
    chatTemplate = ChatTemplate(definition)
    endTokens = definition.endTokens.union([chatTemplate?.endToken].compactMap(\.self))
  }

  /// Number of ids, used or not: every id is smaller.
  public var vocabularySize: Int { vocabulary.table.count }

  /// Whether `id` is a control token, which is no part of an answer's text.
  public func isSpecial(_ id: Int) -> Bool { vocabulary.specialTokens.contains(id) }

  /// The bytes that a token stands for, maybe part of a character; none for an id that is not used.
  public func bytes(of id: Int) -> [UInt8] { vocabulary.bytes(of: id) }

  /// The text of one token, for people: incomplete characters show as U+FFFD.
  public func text(of id: Int) -> String {
    String(decoding: bytes(of: id), as: UTF8.self)
  }

  /// The text of `ids`; bytes that are no valid UTF-8 become U+FFFD.
  ///
  /// Where encoding puts a space before a text, that space is left out.
  public func decode(_ ids: [Int], skipsSpecialTokens: Bool) -> String {
    var bytes: [UInt8] = []
    for id in ids where !(skipsSpecialTokens && isSpecial(id)) { bytes += self.bytes(of: id) }
    if stripsFirstSpace, bytes.first == UInt8(ascii: " ") { bytes.removeFirst() }
    return String(decoding: bytes, as: UTF8.self)
  }
}

// MARK: - Encoding

extension Tokenizer {
  /// The ids of `text`; no begin token is added.
  ///
  /// Unless `allowsSpecialTokens`, control tokens that `text` spells out are text like any other, so
  /// that what a user types cannot end a turn. If it `continues` a text that was encoded before, no space is put before it.
  public func encode(
    _ text: String, allowsSpecialTokens: Bool, continues: Bool = false
  ) -> [Int] {
    encode(text, allowsSpecialTokens: allowsSpecialTokens, as: continues ? .nothing : .text)
  }

  /// The ids of a part of a longer text, after what `beginning` says.
  func encode(
    _ text: String, allowsSpecialTokens: Bool, as beginning: TextCutter.Beginning
  ) -> [Int] {
    let text = TextScanner(Array(text.utf8))
    var ids: [Int] = []
    var scratch = scratch.take()
    var beginning = beginning
    let parts = addedTokens.parts(
      of: text, text.bytes.indices, allowsSpecialTokens: allowsSpecialTokens)
    for part in parts {
      switch part {
      case .token(let id): ids.append(id)
      case .text(let range):
        encode(text, range, beginning, allowsSpecialTokens, &scratch, into: &ids)
      }
      beginning = .segment
    }
    self.scratch.put(scratch)
    return ids
  }

  /// Encodes what lies between tokens that are found in the text as it is.
  private func encode(
    _ text: TextScanner, _ range: Range<Int>, _ beginning: TextCutter.Beginning,
    _ allowsSpecialTokens: Bool, _ scratch: inout WordEncoder.Scratch, into ids: inout [Int]
  ) {
    var (text, range, beginning) = (text, range, beginning)
    if !normalizer.isIdentity {
      text = TextScanner(
        normalizer.normalize(Array(text.bytes[range]), continues: beginning == .nothing))
      range = text.bytes.indices
    }
    let parts = normalizedTokens.parts(of: text, range, allowsSpecialTokens: allowsSpecialTokens)
    for part in parts {
      switch part {
      case .token(let id): ids.append(id)
      case .text(let range):
        var (text, words) = cutter.words(of: text, range, beginning)
        if cutsAtMarks { words = boundaries.cut(words, of: text.bytes) }
        encoder.encode(words, of: text, &scratch, into: &ids)
      }
      beginning = .segment
    }
  }

  /// Whether a run without a better place may be cut between two characters, for no token reaches over that place.
  func allowsCut(between left: UInt8, and right: UInt8) -> Bool {
    normalizer.isIdentity && boundaries.separates(left, right)
  }

  /// Whether a text may be cut between an ASCII letter and the line feed behind it, without a change to its ids.
  func allowsLineCut(behind letter: UInt8) -> Bool {
    cutter.isKnown && normalizer.keepsEnds && boundaries.allowsLineCut(behind: letter)
  }
}
