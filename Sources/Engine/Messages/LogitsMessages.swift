import Tensors

/// The logits of one model after each token of a text's beginning, for a file.
public struct LogitsRequest: Codable, Hashable, Sendable {
  /// Path of a UTF-8 text, or of JSON lines with a `text` or `messages` field each.
  public var textPath: String
  /// Most tokens to read, as one sequence from position 0.
  public var tokenLimit: Int
  public var side: ModelSide
  /// The safetensors file that is made: `token_ids`, I64 [tokens], and `logits`, F32 [tokens, vocabulary].
  public var outputPath: String
  /// Whether a file that is there already may be replaced.
  public var replaces: Bool
  /// How exactly layers that hold integer codes multiply.
  public var arithmetic: Arithmetic
  /// What keys and values are rounded to before attention reads them.
  public var cacheType: CacheType

  public init(
    textPath: String, tokenLimit: Int, side: ModelSide, outputPath: String,
    replaces: Bool = false, arithmetic: Arithmetic = .exact,
    cacheType: CacheType = .f32
  ) {
    self.textPath = textPath
    self.tokenLimit = tokenLimit
    self.side = side
    self.outputPath = outputPath
    self.replaces = replaces
    self.arithmetic = arithmetic
    self.cacheType = cacheType
  }
}

/// A file of logits, complete and in its place.
public struct LogitsSummary: Codable, Hashable, Sendable {
  public var outputPath: String
  public var tokens: Int
  /// Logits after each token.
  public var vocabulary: Int
  /// Of the whole file.
  public var bytes: Int

  public init(outputPath: String, tokens: Int, vocabulary: Int, bytes: Int) {
    self.outputPath = outputPath
    self.tokens = tokens
    self.vocabulary = vocabulary
    self.bytes = bytes
  }
}
