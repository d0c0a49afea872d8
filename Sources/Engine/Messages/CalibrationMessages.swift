import Allocation
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
  /// Whether layers are weighed by the KLD of noise in each, in place of gradients; takes many times as long.
  public var usesNoise: Bool
  /// Where to save what was measured; nil keeps it in memory only.
  public var savePath: String?

  public init(
    textPath: String, window: Int = 512, gradientTokens: Int = 4096, tokenLimit: Int = 16_384,
    candidates: [Scheme], usesNoise: Bool = false, savePath: String? = nil
  ) {
    self.textPath = textPath
    self.window = window
    self.gradientTokens = gradientTokens
    self.tokenLimit = tokenLimit
    self.candidates = candidates
    self.usesNoise = usesNoise
    self.savePath = savePath
  }
}

/// Which layers to compress alone and measure, for predictions to learn from.
public struct RefinementRequest: Codable, Hashable, Sendable {
  /// The plan whose most costly layers are measured: schemes by layer.
  public var schemes: [String: Scheme]
  /// A text as for an evaluation, which calibration has not seen.
  public var textPath: String
  public var window: Int
  /// Most windows to read for each layer.
  public var windowLimit: Int
  /// Most layers to measure.
  public var layerLimit: Int
  /// Where to save sensitivity after each layer; nil keeps it in memory only.
  public var savePath: String?

  public init(
    schemes: [String: Scheme], textPath: String, window: Int = 512, windowLimit: Int = 2,
    layerLimit: Int = 24, savePath: String? = nil
  ) {
    self.schemes = schemes
    self.textPath = textPath
    self.window = window
    self.windowLimit = windowLimit
    self.layerLimit = layerLimit
    self.savePath = savePath
  }

  /// Tokens that the windows hold; no more of the text is read.
  var tokenLimit: Int? {
    let (tokens, isTooMany) = windowLimit.multipliedReportingOverflow(by: window)
    return isTooMany ? nil : tokens
  }
}

/// How much the model's KLD depends on one layer.
public struct LayerSensitivity: Codable, Hashable, Sendable {
  public var layer: String
  /// KLD in nats a token for a relative error of one: noise of as much energy as the weights, with what
  /// was measured.
  public var divergencePerRelativeError: Double
  /// Predicted KLD of each scheme that was tried, with what was measured.
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
  /// How predictions agree with what was measured; nil before layers or plans were.
  public var agreement: PredictionAgreement?

  public init(
    textPath: String, gradientTokens: Int, layers: [LayerSensitivity], path: String? = nil,
    agreement: PredictionAgreement? = nil
  ) {
    self.textPath = textPath
    self.gradientTokens = gradientTokens
    self.layers = layers
    self.path = path
    self.agreement = agreement
  }
}
