/// What a checkpoint says of its byte-level BPE tokenizer, the same whichever format it came from.
public struct TokenizerDefinition: Hashable, Sendable {
  /// How text is cut into words before merges apply.
  public enum PreTokenizer: String, Hashable, Sendable, CaseIterable {
    /// GPT-2's pattern.
    case gpt2
    /// Every digit by itself, then GPT-2's pattern on what is left.
    case smollm
    /// Llama 3's pattern.
    case llama3

    package static let llama3Pattern =
      #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"#
      + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  }

  /// Two tokens that become one.
  public struct Merge: Hashable, Sendable {
    public let left: String
    public let right: String

    public init(left: String, right: String) {
      self.left = left
      self.right = right
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
  /// By id, in GPT-2's byte-level alphabet, but for added tokens; nil where an id is not used.
  public var tokens: [String?]
  /// The earlier, the sooner applied.
  public var merges: [Merge]
  public var preTokenizer: PreTokenizer
  /// Whether a word that is a token as it stands is not merged.
  public var ignoresMerges: Bool
  public var addedTokens: [AddedToken]
  public var beginToken: Int?
  /// Tokens after which an answer is complete.
  public var endTokens: Set<Int>
  /// Whether a text starts with ``beginToken``.
  public var addsBeginToken: Bool
  /// Jinja source of the chat template.
  public var chatTemplate: String?
  /// What chat templates call tokens, such as `bos_token`, and the tokens' texts.
  public var templateTokens: [String: String]

  /// The names that transformers gives to tokens in a tokenizer's configuration and in templates.
  static let templateTokenNames = [
    "bos_token", "eos_token", "unk_token", "pad_token", "sep_token", "cls_token", "mask_token",
  ]

  public init(
    source: String, tokens: [String?], merges: [Merge], preTokenizer: PreTokenizer,
    ignoresMerges: Bool = false, addedTokens: [AddedToken] = [], beginToken: Int? = nil,
    endTokens: Set<Int> = [], addsBeginToken: Bool = false, chatTemplate: String? = nil,
    templateTokens: [String: String] = [:]
  ) {
    self.source = source
    self.tokens = tokens
    self.merges = merges
    self.preTokenizer = preTokenizer
    self.ignoresMerges = ignoresMerges
    self.addedTokens = addedTokens
    self.beginToken = beginToken
    self.endTokens = endTokens
    self.addsBeginToken = addsBeginToken
    self.chatTemplate = chatTemplate
    self.templateTokens = templateTokens
  }
}
