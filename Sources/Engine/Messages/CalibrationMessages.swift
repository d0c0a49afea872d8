import Compression

/// A text whose tokens are run through the model to see what its layers read.
public struct CalibrationRequest: Codable, Hashable, Sendable {
  /// Path of a UTF-8 text, or of JSON lines with a `text` or `messages` field each.
  public var textPath: String
  /// Tokens a window; each is read afresh.
  public var window: Int
  /// Most tokens to read; nil reads the whole text.
  public var tokenLimit: Int?
  /// Where to write what was collected as llama.cpp's imatrix (GGUF); nil writes nothing.
  public var imatrixPath: String?

  public init(
    textPath: String, window: Int = 512, tokenLimit: Int? = 16_384, imatrixPath: String? = nil
  ) {
    self.textPath = textPath
    self.window = window
    self.tokenLimit = tokenLimit
    self.imatrixPath = imatrixPath
  }
}

/// What a calibration read.
public struct CalibrationSummary: Codable, Hashable, Sendable {
  public var textPath: String
  public var tokens: Int
  public var windows: Int
  /// Input channels of the widest layer.
  public var widestInput: Int
  /// One sentence when there are too few tokens for GPTQ and SparseGPT; nil when there are enough.
  public var warning: String?

  public init(
    textPath: String, tokens: Int, windows: Int, widestInput: Int, warning: String? = nil
  ) {
    self.textPath = textPath
    self.tokens = tokens
    self.windows = windows
    self.widestInput = widestInput
    self.warning = warning
  }

  /// Tokens for each input channel of the widest layer: below 8, GPTQ fits the text and not the model.
  public var tokensPerInput: Double { Double(tokens) / Double(max(widestInput, 1)) }
}

/// What to measure sensitivity with.
public struct SensitivityRequest: Codable, Hashable, Sendable {
  /// A text as for calibration.
  public var textPath: String
  public var window: Int
  /// Tokens that gradients are taken on.
  public var gradientTokens: Int
  /// Tokens that calibrated methods are tried with.
  public var tokenLimit: Int
  /// Schemes to try on every layer that can hold them.
  public var candidates: [Scheme]
  /// Where to save what was measured; nil keeps it in memory only.
  public var savePath: String?

  public init(
    textPath: String, window: Int = 512, gradientTokens: Int = 4096, tokenLimit: Int = 16_384,
    candidates: [Scheme], savePath: String? = nil
  ) {
    self.textPath = textPath
    self.window = window
    self.gradientTokens = gradientTokens
    self.tokenLimit = tokenLimit
    self.candidates = candidates
    self.savePath = savePath
  }
}

/// How much the model's KLD depends on one layer.
public struct LayerSensitivity: Codable, Hashable, Sendable {
  public var layer: String
  /// KLD in nats a token for a relative error of one: noise of as much energy as the weights.
  public var divergencePerRelativeError: Double
  /// Predicted KLD of each scheme that was tried.
  public var schemes: [SchemeDivergence]

  public init(
    layer: String, divergencePerRelativeError: Double, schemes: [SchemeDivergence]
  ) {
    self.layer = layer
    self.divergencePerRelativeError = divergencePerRelativeError
    self.schemes = schemes
  }
}

/// What one scheme of one layer costs.
public struct SchemeDivergence: Codable, Hashable, Sendable {
  public var scheme: Scheme
  public var bytes: Int
  /// In nats a token.
  public var divergence: Double

  public init(scheme: Scheme, bytes: Int, divergence: Double) {
    self.scheme = scheme
    self.bytes = bytes
    self.divergence = divergence
  }
}

/// What a measurement of sensitivity found.
public struct SensitivitySummary: Codable, Hashable, Sendable {
  public var textPath: String
  public var gradientTokens: Int
  public var layers: [LayerSensitivity]
  /// The file it was saved to or read from.
  public var path: String?

  public init(
    textPath: String, gradientTokens: Int, layers: [LayerSensitivity], path: String? = nil
  ) {
    self.textPath = textPath
    self.gradientTokens = gradientTokens
    self.layers = layers
    self.path = path
  }
}
