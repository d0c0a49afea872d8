import Checkpoints
import Compression
import FoundationEssentials
import Inference
import Tensors
import TestSupport
import Testing

/// Every figure and standard error of an evaluation, however it is made, against what
/// Tests/Oracles/record_evaluation.py recorded.
struct EvaluationFiguresTests {
  private struct Record: Decodable {
    let ids: [Int]
    let window: Int
    /// Values and standard errors by name.
    let figures: [String: [Double]]
    let windowDivergences: [Double]
    let windowLosses: [Double]
  }

  /// The sample model, and the same with all blocks rounded.
  private static let models = Result {
    let reference = try RealModel.decoder("Samples/scripture", on: WorkerPool(threads: 2))
    return (reference: reference, compressed: try reference.rounding(blocks: 0..<6))
  }

  private let record: Record
  private let reference: Decoder
  private let compressed: Decoder

  init() throws {
    let data = try Data(contentsOf: Fixture.url("evaluation.json"))
    record = try JSONDecoder().decode(Record.self, from: data)
    (reference, compressed) = try Self.models.get()
  }

  private func evaluation(states: ReferenceStates? = nil) throws -> Evaluation {
    let settings = Evaluation.Settings(window: record.window, chunk: 20)
    var evaluation = try Evaluation(
      tokens: record.ids, settings: settings, reference: reference, compares: true, states: states)
    try evaluation.run(reference: reference, compressed: compressed)
    return evaluation
  }

  private func expect(
    _ found: EvaluationSummary?, _ location: SourceLocation = #_sourceLocation
  ) throws {
    let found = try #require(found, sourceLocation: location)
    let divergence = try #require(found.divergence, sourceLocation: location)
    let estimates = [
      "referencePPL": found.referencePPL, "compressedPPL": found.compressedPPL,
      "mean": divergence.mean, "median": divergence.median, "p99": divergence.p99,
      "max": divergence.max, "rmsProbabilityChange": found.rmsProbabilityChange,
      "top1Agreement": found.top1Agreement,
    ]
    #expect(Set(estimates.keys) == Set(record.figures.keys))
    for (name, expected) in record.figures {
      let estimate = try #require(estimates[name] ?? nil, sourceLocation: location)
      let error = try #require(estimate.standardError, sourceLocation: location)
      #expect(abs(estimate.value / expected[0] - 1) < 1e-3, "\(name)", sourceLocation: location)
      #expect(abs(error / expected[1] - 1) < 5e-3, "\(name)", sourceLocation: location)
    }
    #expect(found.tokens == 5 * 47 && found.windows == 5, sourceLocation: location)
    for (values, expected) in [
      (found.windowDivergences, record.windowDivergences),
      (found.windowLosses, record.windowLosses),
    ] {
      #expect(
        relativeError(values.map(Float.init), expected.map(Float.init)) < 1e-4,
        sourceLocation: location)
    }
  }

  @Test func bothModelsRead() throws { try expect(evaluation().result) }

  @Test func theReferencesStatesAreAsGoodAsReadingAgain() throws {
    let first = try evaluation()
    let states = try #require(first.referenceStates)
    #expect(states.byteCount == 5 * 47 * reference.description.hiddenSize * 4)
    let again = try evaluation(states: states)
    #expect(again.result == first.result)
    #expect(again.referenceStates != nil)
  }

  @Test func statesOfAnotherTextAreNotUsed() throws {
    let settings = Evaluation.Settings(window: record.window, chunk: 20)
    var other = try Evaluation(
      tokens: record.ids.reversed(), settings: settings, reference: reference, compares: false)
    #expect(other.referenceStates == nil)
    try other.run(reference: reference)
    #expect(other.result?.windowLosses.count == 5)
    try expect(evaluation(states: other.referenceStates).result)
  }

  @Test(arguments: [0, 4])
  func theTailAloneGivesTheSame(block: Int) throws {
    let states = try #require(try evaluation().referenceStates)
    var pass = try ActivationPass(states.windows, decoder: reference)
    while pass.block < block {
      try pass.sweep(observing: .nothing, advancing: true, with: compressed)
    }
    let record = PaceRecord()
    try expect(
      pass.evaluation(of: compressed, against: reference, states: states, pace: record.pace))
    #expect(record.isComplete)
  }

  /// A block whose outputs are zero adds nothing to what it was given.
  @Test func aBlockLeftOutIsMeasured() throws {
    let states = try #require(try evaluation().referenceStates)
    var silent = reference
    for part in ["self_attn.o_proj", "mlp.down_proj"] {
      let name = "model.layers.2.\(part)"
      let weights = try #require(reference.weights(of: name))
      let zeros = [Float](repeating: 0, count: weights.rows * weights.columns)
      try silent.setLayer(
        name,
        .stored(.storing(zeros, as: .float32, rows: weights.rows, columns: weights.columns)))
    }
    var pass = try ActivationPass(states.windows, decoder: reference)
    while pass.block < 2 {
      try pass.sweep(observing: .nothing, advancing: true, with: reference)
    }
    let results = try [silent, reference.leavingOut(blocks: [2])].map { model in
      try pass.evaluation(of: model, against: reference, states: states)
    }
    #expect(results[0] == results[1])
    #expect((results[0]?.divergence?.mean.value ?? 0) > 0.01)
  }

  @Test func plansAreComparedWindowByWindow() throws {
    func summary(_ divergences: [Double], tokens: Int = 30) -> EvaluationSummary {
      EvaluationSummary(
        tokens: tokens, windows: divergences.count, referencePPL: Estimate(1),
        windowDivergences: divergences)
    }
    let plan = summary([0.5, 0.25, 0.75])
    let difference = try #require(plan.pairedDifference(from: summary([0.25, 0.125, 0.375])))
    #expect(difference.value == 0.25)
    // The differences are 1/4, 1/8 and 3/8: a standard deviation of 1/8.
    #expect(abs((difference.standardError ?? 0) - 0.125 / 3.0.squareRoot()) < 1e-12)
    #expect(plan.pairedDifference(from: plan) == Estimate(0, standardError: 0))
    #expect(plan.pairedDifference(from: summary([0.25, 0.125])) == nil)
    #expect(plan.pairedDifference(from: summary([0.5, 0.25, 0.75], tokens: 31)) == nil)
    #expect(summary([]).pairedDifference(from: summary([])) == nil)
    #expect(summary([0.5]).pairedDifference(from: summary([0.25])) == Estimate(0.25))
  }
}
