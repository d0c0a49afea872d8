import Allocation
import Checkpoints
import Compression
import Engine
import FoundationEssentials
import Inference
import Testing
import TestSupport

/// Calibrated methods on a mixture of experts, of which one reads nothing, from the text to the compressed model.
@Suite struct ExpertJobTests {
  private static let job = JobID(3)
  private static let experts = 5

  private let model: TinyModel
  private let text: String

  init() throws {
    model = try TinyModel(experts: Self.experts)
    let words = String(repeating: "In the beginning was the word, and so on it went. ", count: 60)
    text = try model.write(words, to: "text.txt")
  }

  private func calibrated() throws -> (driver: Driver, summary: CalibrationSummary) {
    let driver = Driver(model)
    driver.send(.calibrate(Self.job, CalibrationRequest(textPath: text, window: 64)))
    driver.run()
    let found = driver.events.compactMap { event -> CalibrationSummary? in
      if case .calibrated(_, let summary) = event { summary } else { nil }
    }
    return (driver, try #require(found.last, "\(driver.events.endings)"))
  }

  @Test func coverageIsOfEachExpert() throws {
    let summary = try calibrated().summary
    #expect(
      summary.experts.map(\.name)
        == (0..<TinyModel.blocks).map { "model.layers.\($0).block_sparse_moe.experts" })
    for block in summary.experts {
      #expect(block.tokens.count == Self.experts && block.missed == [4])
      #expect(block.tokens.reduce(0, +) == 2 * summary.tokens)
      #expect(block.widestInput == TinyModel.intermediate)
    }
    let warning = try #require(summary.warning)
    #expect(
      warning.contains(
        "expert 4 of model.layers.0.block_sparse_moe.experts, expert 4 of model.layers.1.block_sparse_moe.experts "
          + "read fewer than 16 tokens"))
  }

  /// What the compressed model costs in KLD, and which experts its layers' reports name.
  private func outcome(
    _ change: SchemeChange
  ) throws -> (divergence: Double, missed: [String: [Int]]) {
    let driver = try calibrated().driver
    driver.send(.setPlan(Plan(rules: [PlanRule(layers: ["*.experts.*"], change: change)])))
    driver.run()
    driver.send(
      .evaluate(Self.job, EvaluationRequest(textPath: text, window: 64, windowLimit: 8)))
    driver.run()
    var missed: [String: [Int]] = [:]
    var divergence: Double?
    for event in driver.events {
      if case .report(let report) = event, report.standing == .exact, !report.scheme.keepsLayer {
        missed[report.layer] = report.missedExperts
      }
      if case .evaluated(_, let found) = event { divergence = found.divergence?.mean.value }
    }
    return (try #require(divergence, "\(driver.events.endings)"), missed)
  }

  @Test func sweepsCostLessThanRounding() throws {
    func quantized(_ method: QuantizationMethod) throws -> Double {
      let found = try outcome(SchemeChange(bits: 3, group: .size(32), method: method))
      #expect(found.missed.count == 3 * TinyModel.blocks)
      #expect(found.missed.values.allSatisfy { $0 == (method == .gptq ? [4] : []) })
      return found.divergence
    }
    #expect(try quantized(.gptq) < 0.8 * quantized(.rtn))
  }

  @Test func sparseExpertsCostLessWithWhatTheyRead() throws {
    func pruned(_ method: PruningMethod) throws -> Double {
      try outcome(
        SchemeChange(
          sparsity: .scheme(SparsityScheme(pattern: .structured(kept: 2, of: 4), method: method)))
      ).divergence
    }
    let magnitude = try pruned(.magnitude)
    #expect(try pruned(.wanda) < magnitude)
    #expect(try pruned(.sparsegpt) < 0.8 * magnitude)
  }

  /// Each expert's imatrix is written, and the one that read nothing is in it with a count of zero.
  @Test func theImatrixCountsExperts() throws {
    let driver = Driver(model)
    let path = "\(model.path)/imatrix.gguf"
    driver.send(
      .calibrate(
        Self.job, CalibrationRequest(textPath: text, window: 64, imatrixPath: path)))
    driver.run()
    let matrix = try ImportanceMatrix(path: path)
    let layers = try Checkpoint.open(model.path).description
    let found = try matrix.statistics(for: layers, from: path)
    let stacks = layers.layers.filter { $0.count > 1 }
    #expect(stacks.count == 3 * TinyModel.blocks)
    for layer in stacks {
      let entry = try #require(matrix.entries[layer.ggufName])
      #expect(layer.ggufName.hasSuffix("_exps.weight"))
      #expect(entry.counts.count == Self.experts && entry.counts.last == 0)
      let statistics = try #require(found[layer.name])
      #expect(statistics.tokens == entry.tokens && statistics.missedExperts == [4])
      for (expert, known) in statistics.experts.enumerated() {
        #expect((known?.tokens ?? 0) == entry.counts[expert])
      }
    }
  }

  /// Sensitivity tries schemes expert by expert, and what GPTQ cancels in each counts.
  @Test func trialsOfStacksAreMeasured() throws {
    let driver = Driver(model)
    let schemes = [QuantizationMethod.rtn, .gptq].map {
      Scheme(quantization: QuantizationScheme(bits: 3, group: .size(32), method: $0))
    }
    driver.send(
      .measureSensitivity(
        Self.job,
        SensitivityRequest(
          textPath: text, window: 64, gradientTokens: 256, tokenLimit: 1024, candidates: schemes)))
    driver.run()
    let summary = try #require(
      driver.events.compactMap { event -> SensitivitySummary? in
        if case .sensitivity(_, let found) = event { found } else { nil }
      }.last, "\(driver.events.endings)")
    let stacks = summary.layers.filter { $0.layer.contains(".experts.") }
    #expect(stacks.count == 3 * TinyModel.blocks)
    var sums: [QuantizationMethod: Double] = [:]
    for layer in stacks {
      #expect(layer.schemes.map(\.scheme) == schemes)
      for found in layer.schemes {
        sums[found.scheme.quantization?.method ?? .hqq, default: 0] += found.divergence
      }
    }
    #expect(try #require(sums[.gptq]) < #require(sums[.rtn]))
  }
}
