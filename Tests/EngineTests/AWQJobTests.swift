import Checkpoints
import Compression
import Engine
import Export
import FoundationEssentials
import Inference
import Testing

/// AWQ from the plan to the files: scales lie in norms and in layers before, and the model stays the same function.
@Suite struct AWQJobTests {
  private static let job = JobID(3)

  /// A model whose inputs differ in size, and whose every head has values of its own.
  private let model: TinyModel
  private let text: String

  init() throws {
    model = try TinyModel(keyValueHeads: 2) { 0.05 * Float(1 + $0 % 7) * Float(1 + $0 % 5) }
    let words = String(repeating: "In the beginning was the word, and so on it went. ", count: 60)
    text = try model.write(words, to: "text.txt")
  }

  private func plan(_ change: SchemeChange, layers: String = "model.layers.*") -> Plan {
    Plan(rules: [PlanRule(layers: [layers], change: change)])
  }

  private func awq(bits: Int) -> SchemeChange {
    SchemeChange(bits: bits, group: .size(16), isSymmetric: false, method: .awq)
  }

  private func rtn(bits: Int) -> SchemeChange {
    SchemeChange(
      bits: bits, group: .size(16), isSymmetric: false, range: .weighted, method: .rtn)
  }

  /// An engine whose compressed model is what the plan says.
  private func makeDriver(_ plan: Plan, _ settings: EngineSettings? = nil) -> Driver {
    let driver = Driver(model, settings ?? EngineSettings(threads: 1))
    driver.send(.calibrate(Self.job, CalibrationRequest(textPath: text, window: 64)))
    driver.run()
    driver.send(.setPlan(plan))
    if settings == nil { driver.run() }
    return driver
  }

  private func divergence(
    of driver: Driver, from path: String? = nil
  ) throws -> EvaluationSummary.Divergence {
    let request = EvaluationRequest(
      textPath: text, window: 64, windowLimit: 8, referencePath: path)
    driver.send(.evaluate(Self.job, request))
    driver.run()
    let found = driver.events.compactMap { event -> EvaluationSummary? in
      if case .evaluated(_, let found) = event { found } else { nil }
    }
    return try #require(found.last?.divergence, "\(driver.events.endings)")
  }

  private func export(_ driver: Driver, _ name: String, to target: ExportTarget) -> String {
    let path = "\(model.path)/\(name)"
    driver.send(
      .export(Self.job, ExportRequest(format: target.format, target: target, path: path)))
    driver.run()
    return path
  }

  private func norms(of path: String) throws -> [[Float]] {
    let checkpoint = try Checkpoint.open(path)
    return try (0..<TinyModel.blocks).flatMap { block in
      try ["input_layernorm", "post_attention_layernorm"].map {
        try checkpoint.vector(named: "model.layers.\(block).\($0)")
      }
    }
  }

  private func refusal(_ events: some Sequence<EngineEvent>) -> String? {
    events.compactMap { if case .planRefused(let reason) = $0 { reason } else { nil } }.first
  }

  @Test func scalesCostNothing() throws {
    let driver = makeDriver(plan(awq(bits: 8)))
    #expect(try divergence(of: driver).max.value < 1e-3)
    // There are scales: else this would say nothing.
    let exported = try norms(of: export(driver, "scaled", to: .transformers))
    for (norm, original) in zip(exported, try norms(of: model.path)) { #expect(norm != original) }
  }

  @Test func losesLessThanRoundingToNearest() throws {
    let scaled = try divergence(of: makeDriver(plan(awq(bits: 3)))).mean.value
    let rounded = try divergence(of: makeDriver(plan(rtn(bits: 3)))).mean.value
    #expect(scaled > 0)
    #expect(scaled < rounded)
  }

  @Test func otherPlansFindTheNormsAsTheyWere() throws {
    let driver = makeDriver(plan(awq(bits: 3)))
    let scaled = try divergence(of: driver).mean.value
    driver.send(.setPlan(plan(rtn(bits: 3))))
    driver.run()
    #expect(
      try divergence(of: driver).mean == divergence(of: makeDriver(plan(rtn(bits: 3)))).mean)
    driver.send(.setPlan(plan(awq(bits: 3))))
    driver.run()
    #expect(try divergence(of: driver).mean.value == scaled)
    driver.send(.setPlan(Plan()))
    driver.run()
    #expect(try divergence(of: driver).max.value == 0)
  }

  /// While layers are compressed one by one, those that are there never meet a norm that is not theirs.
  @Test func layersAreSwappedWithTheirNorm() throws {
    for count in stride(from: 1, to: 7 * TinyModel.blocks, by: 4) {
      let driver = makeDriver(Plan())
      driver.send(.setPlan(plan(awq(bits: 8))))
      driver.run { _ in driver.events.reports.count == count }
      driver.send(.generate(JobID(9), GenerationRequest(prompt: "In the", tokenLimit: 4)))
      driver.run()
      let (reference, compressed) = (
        driver.events.tokens(.reference), driver.events.tokens(.compressed)
      )
      #expect(driver.events.reports.count == 7 * TinyModel.blocks)
      #expect(reference.count == 4 && reference.map(\.id) == compressed.map(\.id))
    }
  }

  @Test(arguments: [ExportTarget.transformers, .llamaCpp])
  func exportsAreTheModelThatRuns(_ target: ExportTarget) throws {
    let change = target == .llamaCpp ? SchemeChange(block: .q4_0, method: .awq) : awq(bits: 3)
    let driver = makeDriver(plan(change))
    let path = export(driver, "running", to: target)
    #expect(try divergence(of: driver, from: path).max.value < 1e-9)
    #expect(try divergence(of: driver).mean.value > 1e-4)
  }

  /// Layers that an earlier run wrote are compressed again, since norms belong to their scales.
  @Test func resumedExportsHaveTheirNorms() throws {
    let settings = EngineSettings(threads: 1, streamsExports: true)
    let whole = export(makeDriver(plan(awq(bits: 3)), settings), "whole", to: .transformers)
    let driver = makeDriver(plan(awq(bits: 3)), settings)
    let path = "\(model.path)/part"
    let request = ExportRequest(
      format: .compressedTensors, target: .transformers, path: path)
    driver.send(.export(Self.job, request))
    driver.run { event in
      if case .jobProgress(Self.job, let progress) = event {
        progress.completed * 2 > progress.total
      } else {
        false
      }
    }
    driver.send(.cancel(Self.job))
    #expect(!FileManager.default.fileExists(atPath: path))
    _ = export(makeDriver(plan(awq(bits: 3)), settings), "part", to: .transformers)
    let file = "model.safetensors"
    #expect(
      try Data(contentsOf: URL(filePath: "\(path)/\(file)"))
        == Data(contentsOf: URL(filePath: "\(whole)/\(file)")))
  }

  @Test func layersOfOneNormHaveItTogether() throws {
    let driver = Driver(model)
    let alone = driver.send(.setPlan(plan(awq(bits: 4), layers: "*.q_proj")))
    #expect(refusal(alone)?.contains("k_proj") == true)
    let both = plan(awq(bits: 4), layers: "re:.*(gate|up)_proj")
    #expect(refusal(driver.send(.setPlan(both))) == nil)
  }

  @Test func layersDoNotTryItAlone() throws {
    let candidates = [
      Scheme(quantization: QuantizationScheme(bits: 4, group: .size(16), method: .awq))
    ]
    let driver = Driver(model)
    driver.send(
      .measureSensitivity(
        Self.job, SensitivityRequest(textPath: text, candidates: candidates)))
    // Before any step.
    guard case .failed(let reason) = driver.events.endings.last?.outcome else {
      Issue.record("the measurement did not fail")
      return
    }
    #expect(reason.contains("awq"))
  }
}
