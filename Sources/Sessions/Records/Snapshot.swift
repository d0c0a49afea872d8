import Allocation
import Compression
import Inference

/// An answer of the compressed model that is kept with its plan.
public struct SnapshotAnswer: Codable, Hashable, Sendable {
  public let prompt: String
  public let text: String
  public let tokensPerSecond: Double

  public init(prompt: String, text: String, tokensPerSecond: Double) {
    self.prompt = prompt
    self.text = text
    self.tokensPerSecond = tokensPerSecond
  }
}

/// A plan with everything that is known of the model under it.
public struct Snapshot: Hashable, Sendable {
  /// What was measured of the plan on a text.
  public struct Measured: Codable, Hashable, Sendable {
    public let text: String
    public let result: EvaluationSummary
    /// True where measuring was cancelled before the text's end.
    public let isCut: Bool?

    public init(text: String, result: EvaluationSummary, isCut: Bool? = nil) {
      self.text = text
      self.result = result
      self.isCut = isCut
    }
  }

  public var name: String
  public let plan: Plan
  /// By the name of the layer.
  public let schemes: [String: Scheme]
  /// Of the target's files, or of all tensors without a target.
  public var bytes: Int
  public var bitsPerWeight: Double
  public var predicted: PredictedDivergence?
  public var measured: Measured?
  public var answer: SnapshotAnswer?

  public init(
    name: String, plan: Plan, schemes: [String: Scheme], bytes: Int, bitsPerWeight: Double,
    predicted: PredictedDivergence? = nil, measured: Measured? = nil, answer: SnapshotAnswer? = nil
  ) {
    self.name = name
    self.plan = plan
    self.schemes = schemes
    self.bytes = bytes
    self.bitsPerWeight = bitsPerWeight
    self.predicted = predicted
    self.measured = measured
    self.answer = answer
  }

  /// Mean KLD: as measured, or else as predicted; nil while neither is known.
  public var divergence: (value: Double, isMeasured: Bool)? {
    if let mean = measured?.result.divergence?.mean { return (mean.value, true) }
    return predicted.map { ($0.mean, false) }
  }
}

extension [Snapshot] {
  /// The place of a snapshot by name.
  public func index(named name: String) -> Int? { firstIndex { $0.name == name } }

  /// Adds a snapshot, in place of one of the same name.
  public mutating func add(_ snapshot: Snapshot) {
    if let index = index(named: snapshot.name) {
      self[index] = snapshot
    } else {
      append(snapshot)
    }
  }

  /// A name that no snapshot has yet.
  public func freshName(from base: String) -> String {
    guard index(named: base) != nil else { return base }
    var number = 2
    while index(named: "\(base)-\(number)") != nil { number += 1 }
    return "\(base)-\(number)"
  }
}
