import Compression

/// What a plan makes of a model, with all that was predicted and measured of it: a value to read or to draw.
public struct Report: Codable, Hashable, Sendable {
  public var model: ReportModel
  /// The plan as its file says it.
  public var plan: String
  /// In the model's order.
  public var layers: [ReportLayer]
  /// Bytes of all tensors under the plan.
  public var bytes: Int
  /// What the plan should cost by prediction, or was measured to cost.
  public var figures: [ReportFigure]
  /// What other plans cost; nil where no sensitivity was measured.
  public var frontier: ReportFrontier?
  public var answers: [ReportAnswer]

  public init(
    model: ReportModel, plan: String, layers: [ReportLayer], bytes: Int,
    figures: [ReportFigure] = [], frontier: ReportFrontier? = nil, answers: [ReportAnswer] = []
  ) {
    self.model = model
    self.plan = plan
    self.layers = layers
    self.bytes = bytes
    self.figures = figures
    self.frontier = frontier
    self.answers = answers
  }

  /// Bits a weight of the whole model, norms counted.
  public var bitsPerWeight: Double { Double(bytes) * 8 / Double(max(1, model.parameters)) }
}

/// The model as it was opened.
public struct ReportModel: Codable, Hashable, Sendable {
  public var name: String
  public var architecture: String
  /// Weights of all tensors.
  public var parameters: Int
  /// Bytes of all tensors.
  public var bytes: Int
  /// SHA-256 that names its header, hexadecimal.
  public var fingerprint: String

  public init(
    name: String, architecture: String, parameters: Int, bytes: Int, fingerprint: String
  ) {
    self.name = name
    self.architecture = architecture
    self.parameters = parameters
    self.bytes = bytes
    self.fingerprint = fingerprint
  }
}

extension Report {
  /// What is to be known of layers beside their figures, a sentence each.
  var notes: [String] { layers.compactMap { $0.report?.missedExpertsNote } }
}

/// One layer under the plan.
public struct ReportLayer: Codable, Hashable, Sendable {
  public var name: String
  public var role: String
  public var block: Int?
  public var rows: Int
  public var columns: Int
  /// The scheme in a few words.
  public var scheme: String
  /// Bits of a code; nil where nothing is quantized.
  public var bits: Int?
  public var originalBytes: Int
  public var bytes: Int
  /// Errors and histograms; nil for kept layers, which have none.
  public var report: LayerReport?

  public init(
    name: String, role: String, block: Int?, rows: Int, columns: Int, scheme: String, bits: Int?,
    originalBytes: Int, bytes: Int, report: LayerReport?
  ) {
    self.name = name
    self.role = role
    self.block = block
    self.rows = rows
    self.columns = columns
    self.scheme = scheme
    self.bits = bits
    self.originalBytes = originalBytes
    self.bytes = bytes
    self.report = report
  }

  /// Bits a weight, everything counted.
  public var bitsPerWeight: Double { Double(bytes) * 8 / Double(max(1, rows * columns)) }
}

/// One figure of the whole model, and where it is from.
public struct ReportFigure: Codable, Hashable, Sendable {
  /// `mean KLD`, `PPL of the original`.
  public var name: String
  public var value: Double
  /// Half of what a band of one standard error spans; nil where it is not known.
  public var standardError: Double?
  /// Empty for pure numbers.
  public var unit: String
  public var isPredicted: Bool
  /// How it was found: the text, tokens and windows.
  public var how: String

  public init(
    name: String, value: Double, standardError: Double? = nil, unit: String = "",
    isPredicted: Bool = false, how: String
  ) {
    self.name = name
    self.value = value
    self.standardError = standardError
    self.unit = unit
    self.isPredicted = isPredicted
    self.how = how
  }
}

/// KLD against bytes.
public struct ReportFrontier: Codable, Hashable, Sendable {
  /// A plan's place.
  public struct Point: Codable, Hashable, Sendable {
    /// Empty for points of the curve.
    public var name: String
    public var bytes: Int
    /// In nats a token.
    public var divergence: Double
    public var isMeasured: Bool

    public init(name: String = "", bytes: Int, divergence: Double, isMeasured: Bool = false) {
      self.name = name
      self.bytes = bytes
      self.divergence = divergence
      self.isMeasured = isMeasured
    }
  }

  /// The best plan of each size, by bytes.
  public var curve: [Point]
  /// This plan and others to compare it with.
  public var marks: [Point]

  public init(curve: [Point], marks: [Point]) {
    self.curve = curve
    self.marks = marks
  }
}

/// What both models answered to a prompt.
public struct ReportAnswer: Codable, Hashable, Sendable {
  public var prompt: String
  /// How tokens were chosen: `greedy`, or `temperature 0.8, seed 1`.
  public var sampling: String
  public var original: String
  public var compressed: String

  public init(prompt: String, sampling: String, original: String, compressed: String) {
    self.prompt = prompt
    self.sampling = sampling
    self.original = original
    self.compressed = compressed
  }
}
