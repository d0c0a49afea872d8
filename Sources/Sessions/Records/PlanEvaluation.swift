import Compression
import Foundation
import Inference

/// What an evaluation found, of which plan and on which text.
public struct PlanEvaluation: Hashable, Sendable {
  public var textPath: String
  public var plan: Plan
  public var result: EvaluationSummary
  /// Of the target's files, or of all tensors without a target.
  public var bytes: Int
  public var bitsPerWeight: Double
  /// Nil until it is kept.
  public var finished: Date?

  public init(
    textPath: String, plan: Plan, result: EvaluationSummary, bytes: Int, bitsPerWeight: Double,
    finished: Date? = nil
  ) {
    self.textPath = textPath
    self.plan = plan
    self.result = result
    self.bytes = bytes
    self.bitsPerWeight = bitsPerWeight
    self.finished = finished
  }
}
