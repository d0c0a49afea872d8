import Compression
import Export

/// What to pack for a cluster that carries it out.
public struct JobPackRequest: Codable, Hashable, Sendable {
  /// What the job makes.
  public enum Purpose: Codable, Hashable, Sendable {
    /// The current plan's model, by llm-compressor, for a target.
    case compression(ExportTarget)
    /// What these schemes cost each layer.
    case sensitivity([Scheme])
  }

  public var purpose: Purpose
  /// What methods calibrate on, or gradients are taken of; nil is the text at hand.
  public var calibrationPath: String?
  /// Most tokens of it.
  public var calibrationTokens: Int
  /// What the result is measured on beside the original; nil measures nothing.
  public var evaluationPath: String?
  /// Most windows of it; nil is the whole text.
  public var evaluationWindows: Int?
  /// Tokens a window of both; nil for what suits the model.
  public var window: Int?

  public init(
    _ purpose: Purpose, calibrationPath: String? = nil, calibrationTokens: Int = 16_384,
    evaluationPath: String? = nil, evaluationWindows: Int? = nil, window: Int? = nil
  ) {
    self.purpose = purpose
    self.calibrationPath = calibrationPath
    self.calibrationTokens = calibrationTokens
    self.evaluationPath = evaluationPath
    self.evaluationWindows = evaluationWindows
    self.window = window
  }

  /// The steps of the job, in order.
  public var steps: [String] {
    switch purpose {
    case .compression: ["compress"] + (evaluationPath == nil ? [] : ["evaluate"])
    case .sensitivity: ["sensitivity"]
    }
  }
}

/// A job as it is sent: its files, and what it is of.
public struct PackedJob: Codable, Hashable, Sendable {
  public var request: JobPackRequest
  public var files: [JobPackage.File]
  /// The model's name and fingerprint.
  public var model: String
  public var fingerprint: String
  /// The plan as YAML; empty for sensitivity.
  public var plan: String
  /// Of the target's files under the plan, as predicted, and bits a weight by these; 0 for sensitivity.
  public var bytes = 0
  public var bitsPerWeight = 0.0

  public init(
    request: JobPackRequest, files: [JobPackage.File], model: String, fingerprint: String,
    plan: String
  ) {
    self.request = request
    self.files = files
    self.model = model
    self.fingerprint = fingerprint
    self.plan = plan
  }
}
