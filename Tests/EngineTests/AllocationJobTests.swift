import Allocation
import Checkpoints
import Compression
import Engine
import Export
import Inference
import Testing

/// From a text to a solved plan: calibration, sensitivity, allocation.
@Suite struct AllocationJobTests {
  private let model: TinyModel
  private let driver: Driver
  private let text: String
  private let job = JobID(5)
  private let candidates = [2, 3, 4, 8].map { bits in
    Scheme(
      quantization: QuantizationScheme(
        bits: bits, group: .size(16), range: .weighted, method: .gptq))
  }

  init() throws {
    model = try TinyModel()
    driver = Driver(model)
    let words = String(repeating: "In the beginning was the word, and so on it went. ", count: 60)
    text = try model.write(words, to: "text.txt")
  }

  private func gptq(bits: Int) -> Plan {
    Plan(rules: [
      PlanRule(layers: ["*"], change: SchemeChange(bits: bits, group: .size(16), method: .gptq))
    ])
  }

  private func measure(savingTo path: String? = nil) {
    driver.send(
      .measureSensitivity(
        job,
        SensitivityRequest(
          textPath: text, window: 64, gradientTokens: 512, tokenLimit: 2048,
          candidates: candidates, savePath: path)))
    driver.run()
  }

  private var summary: SensitivitySummary? {
    driver.events.compactMap { if case .sensitivity(_, let found) = $0 { found } else { nil } }.last
  }

  private func allocate(
    _ target: BudgetTarget, _ settings: AllocationSettings = AllocationSettings()
  ) -> AllocationResult? {
    for case .allocated(let result) in driver.send(.allocate(target, settings)) { return result }
    return nil
  }

  @Test func calibratesAndSaysWhenTheTextIsShort() {
    driver.send(.calibrate(job, CalibrationRequest(textPath: text, window: 64, tokenLimit: 256)))
    driver.run()
    let found = driver.events.compactMap { event -> CalibrationSummary? in
      if case .calibrated(_, let summary) = event { summary } else { nil }
    }
    #expect(found.count == 1)
    #expect(found.first?.tokens == 256 && found.first?.windows == 4)
    #expect(found.first?.widestInput == TinyModel.intermediate)
    #expect(found.first?.warning?.contains("few") == true)
    #expect(driver.events.endings == [JobEnding(id: job, outcome: .finished)])
  }

  @Test func gptqLosesLessThanRoundingToNearest() {
    func divergence(_ plan: Plan) -> Double? {
      let driver = Driver(model)
      driver.send(.calibrate(job, CalibrationRequest(textPath: text, window: 64)))
      driver.run()
      driver.send(.setPlan(plan))
      driver.send(.evaluate(job, EvaluationRequest(textPath: text, window: 64, windowLimit: 8)))
      driver.run()
      return driver.events.compactMap { event -> Double? in
        if case .evaluated(_, let found) = event { found.divergence?.mean.value } else { nil }
      }.last
    }
    let nearest = Plan(rules: [
      PlanRule(layers: ["*"], change: SchemeChange(bits: 3, group: .size(16)))
    ])
    guard let swept = divergence(gptq(bits: 3)), let rounded = divergence(nearest) else {
      Issue.record("nothing was measured")
      return
    }
    #expect(swept > 0)
    #expect(swept < rounded)
  }

  /// With a target a budget is about its files, headers and all.
  @Test(arguments: [ExportTarget.llamaCpp, .transformers])
  func budgetsAreOfTheTargetsFiles(target: ExportTarget) throws {
    let schemes: [Scheme] =
      target == .llamaCpp
      ? [BlockType.q4_0, .q5_0, .q8_0].map { Scheme(quantization: QuantizationScheme(block: $0)) }
      : candidates
    driver.send(
      .measureSensitivity(
        job,
        SensitivityRequest(
          textPath: text, window: 64, gradientTokens: 512, tokenLimit: 2048, candidates: schemes)))
    driver.run()
    let opened = driver.events.compactMap { event in
      if case .opened(let description) = event { description } else { nil }
    }
    let shapes = try #require(opened.first).layerShapes
    let settings = AllocationSettings(target: target)
    let least = try #require(allocate(.divergence(10), settings)).bytes
    let frontier = driver.send(.drawFrontier(settings)).compactMap { event in
      if case .frontier(let frontier) = event { frontier.curve } else { nil }
    }
    let most = try #require(frontier.last?.last?.bytes)
    for share in [0.3, 0.6, 0.9] {
      let budget = least + Int(share * Double(most - least))
      let found = try #require(allocate(.bytes(budget), settings))
      #expect(found.bytes <= budget)
      driver.send(.setPlan(Plan(schemes: found.schemes, for: shapes)))
      let request = ExportRequest(
        format: target.format, target: target, path: "\(model.path)/out")
      let preview = driver.send(.previewExport(request)).compactMap { event in
        if case .exportPreview(let preview) = event { preview } else { nil }
      }
      #expect(preview.last?.refusals.isEmpty == true)
      #expect(preview.last?.bytes == found.bytes)
    }
  }

  @Test func aTargetThatHoldsNothingThatWasTriedIsNamed() {
    let blocks = Scheme(quantization: QuantizationScheme(block: .q5_0))
    driver.send(
      .measureSensitivity(
        job,
        SensitivityRequest(
          textPath: text, window: 64, gradientTokens: 512, tokenLimit: 1024, candidates: [blocks])))
    driver.run()
    let answer = driver.send(.allocate(.bytes(1 << 20), AllocationSettings(target: .vllm)))
    guard case .allocationRefused(_, let reason)? = answer.last else {
      Issue.record("\(answer)")
      return
    }
    #expect(reason.contains("vllm can hold none of the schemes"))
  }

  @Test func plansKeepToTheirBudget() throws {
    measure()
    let found = try #require(summary)
    #expect(found.layers.count == TinyModel.layers)
    for layer in found.layers {
      #expect(layer.divergencePerRelativeError > 0)
      let costs = layer.schemes.map(\.divergence)
      #expect(costs.count == candidates.count && costs.allSatisfy { $0 >= 0 })
      #expect((costs.first ?? 0) > (costs.last ?? 0))
    }
    let largest = try #require(allocate(.divergence(1e-3)))
    let smaller = try #require(allocate(.bytes(largest.bytes * 3 / 4)))
    #expect(smaller.bytes <= largest.bytes * 3 / 4)
    #expect(smaller.divergence.mean > largest.divergence.mean)
    #expect(smaller.divergence.low < smaller.divergence.mean)
    #expect(Set(smaller.schemes.values).isSubset(of: Set(candidates + [.keep])))
    let refusals = driver.send(.allocate(.bytes(10), AllocationSettings()))
    #expect(refusals.contains { if case .allocationRefused = $0 { true } else { false } })
  }

  @Test func pinnedLayersKeepTheirScheme() throws {
    measure()
    driver.send(.setPlan(gptq(bits: 8)))
    driver.run()
    let pinned = "model.layers.0.mlp.down_proj"
    let settings = AllocationSettings(pinned: [pinned], fusesLayers: true)
    let all = try #require(allocate(.divergence(1e-3)))
    let found = try #require(allocate(.bytes(all.bytes * 3 / 4), settings))
    #expect(found.schemes[pinned]?.quantization?.bits == 8)
    for block in 0..<TinyModel.blocks {
      let prefix = "model.layers.\(block).self_attn."
      let fused = ["q_proj", "k_proj", "v_proj"].map { found.schemes[prefix + $0] }
      #expect(Set(fused).count == 1)
    }
  }

  /// vLLM on a CPU takes 4 bits of what was tried, no embedding, and no k of 16 rows, nor then q and v.
  @Test func layersGetWhatTheTargetCanHoldOfThem() throws {
    measure()
    let found = try #require(
      allocate(.bitsPerWeight(30), AllocationSettings(target: .vllmCPU)))
    for (layer, scheme) in found.schemes {
      let fits = layer.contains(".mlp.") || layer.hasSuffix(".o_proj")
      #expect(scheme.quantization?.bits == (fits ? 4 : nil), "\(layer)")
    }
    let free = try #require(allocate(.bitsPerWeight(30)))
    #expect(free.schemes.values.contains { $0.quantization?.bits == 8 })
  }

  @Test func sensitivityIsSavedOpenedAndSolvedAgain() throws {
    let path = model.path + "/saved"
    measure(savingTo: path)
    let first = try #require(allocate(.bitsPerWeight(5)))
    let other = Driver(model)
    other.send(.openSensitivity(path: path))
    let second = other.send(.allocate(.bitsPerWeight(5), AllocationSettings())).compactMap {
      if case .allocated(let result) = $0 { result } else { nil }
    }
    #expect(second.map(\.schemes) == [first.schemes])
    let frontier = other.send(.drawFrontier(AllocationSettings())).compactMap {
      if case .frontier(let found) = $0 { found } else { nil }
    }
    let curve = try #require(frontier.first).curve
    #expect(curve.count > 10)
    #expect(zip(curve, curve.dropFirst()).allSatisfy { $0.bytes < $1.bytes })
    #expect(zip(curve, curve.dropFirst()).allSatisfy { $0.divergence > $1.divergence })
  }

  @Test func whatIsCancelledLeavesNothingBehind() {
    let path = model.path + "/never"
    driver.send(
      .measureSensitivity(
        job,
        SensitivityRequest(
          textPath: text, window: 64, gradientTokens: 512, tokenLimit: 2048,
          candidates: candidates, savePath: path)))
    for _ in 0..<40 { driver.step() }
    driver.send(.cancel(job))
    driver.run()
    #expect(driver.events.endings == [JobEnding(id: job, outcome: .cancelled)])
    #expect(summary == nil)
    let refusals = driver.send(.openSensitivity(path: path))
    #expect(refusals.contains { if case .sensitivityRefused = $0 { true } else { false } })
  }
}
