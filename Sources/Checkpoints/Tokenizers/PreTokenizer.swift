/// How a text is cut into the words that merges stay inside: one cut after the other, each cutting what the last left.
public struct PreTokenizer: Hashable, Sendable {
  public var cuts: [Cut]

  public init(_ cuts: [Cut]) {
    self.cuts = cuts
  }

  /// One step of cutting.
  public enum Cut: Hashable, Sendable {
    /// Cuts at the matches of a regular expression.
    case split(String, SplitBehavior = .isolated, isInverted: Bool = false)
    /// Cuts at the occurrences of a text.
    case literal(String, SplitBehavior, isInverted: Bool = false)
    /// Puts a space before every piece that does not begin with one.
    case prefixSpace
    /// Writes spaces as U+2581, puts one before pieces, and cuts before each where it `splits`.
    case metaspace(SpacePrefix, splits: Bool)
  }

  /// What becomes of the matches of a cut.
  public enum SplitBehavior: String, Hashable, Sendable {
    /// Matches are pieces of their own.
    case isolated = "Isolated"
    /// Matches are dropped.
    case removed = "Removed"
    /// A match belongs to the piece before it.
    case mergedWithPrevious = "MergedWithPrevious"
    /// A match belongs to the piece after it.
    case mergedWithNext = "MergedWithNext"
    /// Neighbouring matches are one piece.
    case contiguous = "Contiguous"
  }

  /// Which pieces get a space mark before them, if they have none.
  public enum SpacePrefix: String, Hashable, Sendable {
    case always
    /// Only the one that begins the text.
    case first
    case never
  }
}

extension PreTokenizer {
  /// Does not cut.
  public static let whole = PreTokenizer([])
  /// GPT-2's pattern.
  public static let gpt2 = PreTokenizer([.split(gpt2Pattern)])
  /// Every digit by itself, then GPT-2's pattern on what is left.
  public static let smollm = PreTokenizer([.split(digitPattern), .split(gpt2Pattern)])
  /// Llama 3's pattern.
  public static let llama3 = PreTokenizer([.split(llama3Pattern)])
  /// Llama 3's pattern with every digit by itself.
  public static let qwen2 = PreTokenizer([.split(qwen2Pattern)])
  /// Qwen 2's with marks counted among the letters.
  public static let qwen35 = PreTokenizer([.split(qwen35Pattern)])
  /// Words end where upper case begins.
  public static let o200k = PreTokenizer([.split(o200kPattern)])
  /// The same without English contractions and with every digit by itself.
  public static let tekken = PreTokenizer([.split(tekkenPattern)])
  /// DeepSeek V3's three cuts.
  public static let deepseekV3 = PreTokenizer([
    .split(#"\p{N}{1,3}"#), .split("[一-龥぀-ゟ゠-ヿ]+"), .split(deepseekPattern),
  ])
  /// Runs of line feeds by themselves, for SentencePiece's vocabularies.
  public static let lines = PreTokenizer([.split(linesPattern)])
}

/// Patterns of published tokenizers, as their tokenizer.json spells them.
extension PreTokenizer {
  package static let gpt2Pattern =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
  package static let digitPattern = #"\p{N}"#
  package static let digitsPattern = #"\p{N}+"#
  package static let punctuationPattern = #"[\p{P}$+<=>^`|~]"#
  /// `\w+|[^\w\s]+` with words as Rust has them, which differ from those of the patterns in a file.
  package static let whitespacePattern =
    #"[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200c}\x{200d}]+"#
    + #"|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200c}\x{200d}\s]+"#
  package static let linesPattern = #"[^\n]+|[\n]+"#

  private static let contraction = #"(?i:'s|'t|'re|'ve|'m|'ll|'d)"#
  private static let spaces = #"\s*[\r\n]+|\s+(?!\S)|\s+"#
  private static let symbols = #" ?[^\s\p{L}\p{N}]+[\r\n]*|"#
  package static let llama3Pattern =
    contraction + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"# + symbols + spaces
  package static let qwen2Pattern =
    contraction + #"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|"# + symbols + spaces
  package static let qwen35Pattern =
    contraction + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|"#
    + spaces

  private static let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
  private static let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#
  private static let beforeWord = #"[^\r\n\p{L}\p{N}]?"#
  private static let paths = #" ?[^\s\p{L}\p{N}]+[\r\n/]*|"#
  package static let o200kPattern =
    beforeWord + upper + "*" + lower + "+" + contraction + "?|"
    + beforeWord + upper + "+" + lower + "*" + contraction + #"?|\p{N}{1,3}|"# + paths + spaces
  package static let tekkenPattern =
    beforeWord + upper + "*" + lower + "+|" + beforeWord + upper + "+" + lower + #"*|\p{N}|"#
    + paths + spaces

  package static let deepseekPattern =
    ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##
    + #"| ?[\p{P}\p{S}]+[\r\n]*|"# + spaces
}
