/// What a checkpoint says of its tokenizer, the same whichever format it came from.
public struct TokenizerDefinition: Hashable, Sendable {
  /// How a word becomes tokens.
  public enum Model: Hashable, Sendable {
    /// Byte-level BPE: tokens are spelled in GPT-2's alphabet of bytes.
    case bytePairs
    /// BPE over characters, which `merges` rank, or else the scores of the tokens that they make; what no token
    /// spells is written in byte tokens where there are.
    case sentencePiece
    /// The likeliest tokens by their scores.
    case unigram
  }

  /// Two tokens that become one, by ids.
  public struct Merge: Hashable, Sendable {
    public let left: UInt32
    public let right: UInt32
    /// The token whose text is the two texts.
    public let result: UInt32

    public init(left: UInt32, right: UInt32, result: UInt32) {
      self.left = left
      self.right = right
      self.result = result
    }
  }

  /// A token that is found in the text before it is cut into words.
  public struct AddedToken: Hashable, Sendable {
    public let id: Int
    /// Plain text, not in the byte-level alphabet.
    public let text: String
    /// Whether it is a control token, which plain text must not produce.
    public let isSpecial: Bool
    /// Whether it takes the white space before it along.
    public let stripsLeft: Bool
    /// Whether it takes the white space after it along.
    public let stripsRight: Bool
    /// Whether it counts only where no letter, digit or underscore touches it.
    public let isSingleWord: Bool
    /// Whether it is looked for after the others, in normalized text.
    public let isNormalized: Bool

    public init(
      id: Int, text: String, isSpecial: Bool, stripsLeft: Bool = false, stripsRight: Bool = false,
      isSingleWord: Bool = false, isNormalized: Bool = false
    ) {
      self.id = id
      self.text = text
      self.isSpecial = isSpecial
      self.stripsLeft = stripsLeft
      self.stripsRight = stripsRight
      self.isSingleWord = isSingleWord
      self.isNormalized = isNormalized
    }
  }

  /// The file that it was read from, for messages.
  public var source: String
  public var model: Model
  /// By id: for byte-level BPE in GPT-2's alphabet, but for added tokens; else with U+2581 for spaces.
  public var tokens: TokenTable
  /// The earlier, the sooner applied.
  public var merges: [Merge]
  /// By id: what a SentencePiece vocabulary without merges, or a unigram one, weighs tokens with.
  public var scores: [Double]
  /// What stands for characters that nothing spells.
  public var unknownToken: Int?
  /// Whether neighbouring unknown characters are one token.
  public var fusesUnknown: Bool
  /// Whether characters that no token spells are written in tokens `<0x00>` to `<0xFF>`.
  public var fallsBackToBytes: Bool
  public var normalizations: [Normalization]
  public var preTokenizer: PreTokenizer
  /// Whether a word that is a token as it stands is not merged.
  public var ignoresMerges: Bool
  /// Whether decoding a whole text leaves the first space out, which encoding had put there.
  public var stripsFirstSpace: Bool
  public var addedTokens: [AddedToken]
  public var beginToken: Int?
  /// Tokens after which an answer is complete.
  public var endTokens: Set<Int>
  /// Whether a text starts with ``beginToken``.
  public var addsBeginToken: Bool
  /// All tokens that a plain text starts with if it starts with any, ``beginToken`` the last; mostly just that.
  public var openingTokens: [Int] {
    get { addsBeginToken ? moreOpeningTokens + [beginToken].compactMap(\.self) : [] }
    set {
      addsBeginToken = !newValue.isEmpty
      moreOpeningTokens = newValue.dropLast()
      beginToken = newValue.last ?? beginToken
    }
  }
  /// Those before ``beginToken``.
  private var moreOpeningTokens: [Int] = []
  /// The token that a plain text ends with, if the tokenizer adds one; prompts do not.
  public var closingToken: Int?
  /// Jinja source of the chat template.
  public var chatTemplate: String?
  /// What chat templates call tokens, such as `bos_token`, and the tokens' texts.
  public var templateTokens: [String: String] = [:]

  /// The names that transformers gives to tokens in a tokenizer's configuration and in templates.
  static let templateTokenNames = [
    "bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token",
  ]

  /// A definition of the tokens with these texts, nil where an id is not used.
  public init(
    source: String, model: Model = .bytePairs, tokens: [String?], merges: [Merge] = [],
    scores: [Double] = [], preTokenizer: PreTokenizer, ignoresMerges: Bool = false,
    addedTokens: [AddedToken] = [], beginToken: Int? = nil, endTokens: Set<Int> = [],
    addsBeginToken: Bool = false, chatTemplate: String? = nil,
    templateTokens: [String: String] = [:]
  ) {
    self.source = source
    self.model = model
    self.tokens = TokenTable(tokens)
    self.merges = merges
    self.scores = scores
    unknownToken = nil
    fusesUnknown = false
    fallsBackToBytes = false
    normalizations = []
    self.preTokenizer = preTokenizer
    self.ignoresMerges = ignoresMerges
    stripsFirstSpace = false
    closingToken = nil
    self.addedTokens = addedTokens
    self.beginToken = beginToken
    self.endTokens = endTokens
    self.addsBeginToken = addsBeginToken
    self.chatTemplate = chatTemplate
    self.templateTokens = templateTokens
  }

  /// What is to be said of tokens that a model with so many embeddings has none for; nil if it has all, or
  /// as long as nobody knows how many it has.
  public func noteBeyond(vocabularySize: Int) -> String? {
    guard vocabularySize > 0 else { return nil }
    let beyond = tokens.indices.dropFirst(vocabularySize).filter { tokens[$0] != nil }
    guard let first = beyond.first, let text = tokens[first] else { return nil }
    let others = beyond.count > 1 ? " and \(beyond.count - 1) more" : ""
    return
      "the tokenizer has token \(first) (\(text))\(others), but the model's vocabulary ends at "
      + "\(vocabularySize - 1): texts that become such tokens are refused"
  }

  /// The same without tokens that a model with so many embeddings has none for.
  public func within(vocabularySize size: Int) -> TokenizerDefinition {
    guard tokens.count > size else { return self }
    var cut = self
    cut.tokens = TokenTable(tokens.prefix(size).map { $0 })
    cut.merges.removeAll { max($0.left, $0.right, $0.result) >= size }
    cut.scores = Array(scores.prefix(size))
    cut.addedTokens.removeAll { $0.id >= size }
    cut.endTokens = endTokens.filter { $0 < size }
    if let token = closingToken, token >= size { cut.closingToken = nil }
    return cut
  }

  /// Whether tokens write spaces as U+2581.
  public var marksSpaces: Bool {
    normalizations.contains(.replace(" ", with: Normalization.spaceMark))
      || preTokenizer.cuts.contains { if case .metaspace = $0 { true } else { false } }
  }

  /// The byte that a token `<0x41>` writes; nil for any other text.
  package static func byte(of text: some BidirectionalCollection<UInt8>) -> UInt8? {
    guard text.count == 6, text.starts(with: "<0x".utf8), text.last == UInt8(ascii: ">") else {
      return nil
    }
    return UInt8(String(decoding: text.dropFirst(3).dropLast(), as: UTF8.self), radix: 16)
  }
}
