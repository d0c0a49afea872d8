import Allocation
import Compression

/// How long windows of text are where nobody says.
public enum StandardWindow {
  /// In tokens, of models whose context is that long.
  public static let length = 512

  /// The tokens of a window: those asked for, or as many as usual and as the model's context holds.
  public static func length(asked: Int?, context: Int) -> Int { asked ?? min(length, context) }
}

/// A text whose tokens are run through the model to see what its layers read.
public struct CalibrationRequest: Codable, Hashable, Sendable {
  /// Path of a UTF-8 text, or of JSON lines with a `text` or `messages` field each.
  public var textPath: String
  /// Tokens a window, each read afresh; nil for ``StandardWindow``.
  public var window: Int?
  /// Most tokens to read; nil reads the whole text.
  public var tokenLimit: Int?
  /// Where to write what was collected as llama.cpp's imatrix (GGUF); nil writes nothing.
  public var imatrixPath: String?
  /// Whether second moments are collected only once a layer of the plan is compressed with them; models of experts are
  /// always read through, for what each of them reads.
  public var collectsWhenNeeded: Bool

  public init(
    textPath: String, window: Int? = nil, tokenLimit: Int? = 16_384, imatrixPath: String? = nil,
    collectsWhenNeeded: Bool = false
  ) {
    self.textPath = textPath
    self.window = window
    self.tokenLimit = tokenLimit
    self.imatrixPath = imatrixPath
    self.collectsWhenNeeded = collectsWhenNeeded
  }
}

/// What a calibration read.
public struct CalibrationSummary: Codable, Hashable, Sendable {
  public var textPath: String
  public var tokens: Int
  public var windows: Int
  /// Tokens of a window.
  public var window: Int
  /// Input channels of the widest layer.
  public var widestInput: Int
  /// What the experts of each block read, in the order of blocks; empty for models without.
  public var experts: [ExpertCoverage]
  /// What is too little for calibrated methods, in a sentence or two; nil when there is enough.
  public var warning: String?

  public init(
    textPath: String, tokens: Int, windows: Int, window: Int, widestInput: Int,
    experts: [ExpertCoverage] = [], warning: String? = nil
  ) {
    self.textPath = textPath
    self.tokens = tokens
    self.windows = windows
    self.window = window
    self.widestInput = widestInput
    self.experts = experts
    self.warning = warning
  }

  /// Tokens for each input channel of the widest layer: below 8, GPTQ fits the text and not the model.
  public var tokensPerInput: Double { Double(tokens) / Double(max(widestInput, 1)) }
}

/// What to measure sensitivity with.
public struct SensitivityRequest: Codable, Hashable, Sendable {
  /// A text as for calibration.
  public var textPath: String
  /// Tokens a window; nil for ``StandardWindow``.
  public var window: Int?
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
    textPath: String, window: Int? = nil, gradientTokens: Int = 4096, tokenLimit: Int = 16_384,
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
  /// Tokens a window; nil for ``StandardWindow``.
  public var window: Int?
  /// Most windows to read for each layer.
  public var windowLimit: Int
  /// Most layers to measure.
  public var layerLimit: Int
  /// Where to save sensitivity after each layer; nil keeps it in memory only.
  public var savePath: String?

  public init(
    schemes: [String: Scheme], textPath: String, window: Int? = nil, windowLimit: Int = 2,
    layerLimit: Int = 24, savePath: String? = nil
  ) {
    self.schemes = schemes
    self.textPath = textPath
    self.window = window
    self.windowLimit = windowLimit
    self.layerLimit = layerLimit
    self.savePath = savePath
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
  /// Of `divergence`: what another sample of rows might have said.
  public var standardError: Double

  public init(scheme: Scheme, bytes: Int, divergence: Double, standardError: Double = 0) {
    self.scheme = scheme
    self.bytes = bytes
    self.divergence = divergence
    self.standardError = standardError
  }
}

/// What a measurement of sensitivity found.
public struct SensitivitySummary: Codable, Hashable, Sendable {
  public var textPath: String
  public var gradientTokens: Int
  public var layers: [LayerSensitivity]
  /// The file it was saved to or read from.
  public var path: String?
  /// Standard deviation of log(measured / predicted).
  public var spread: Double
  /// How predictions agree with what was measured; nil before layers or plans were.
  public var agreement: PredictionAgreement?
  /// What is to be said of the file that it was read from, in one sentence; nil for nothing.
  public var note: String?

  /// The spread before any plan was measured.
  public static let usualSpread = PlanPredictor.initialSpread

  public init(
    textPath: String, gradientTokens: Int, layers: [LayerSensitivity], path: String? = nil,
    spread: Double = Self.usualSpread, agreement: PredictionAgreement? = nil
  ) {
    self.spread = spread
    self.textPath = textPath
    self.gradientTokens = gradientTokens
    self.layers = layers
    self.path = path
    self.agreement = agreement
  }
}
