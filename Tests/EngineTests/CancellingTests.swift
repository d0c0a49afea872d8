import Compression
import Engine
import Export
import Testing

/// Long work of every kind ends where it is when it is cancelled, and leaves a session that goes on.
@Suite struct CancellingTests {
  enum Work: String, CaseIterable, CustomStringConvertible {
    case calibration, sensitivity, noise, refinement, structure, evaluation, logits, comparison
    case export, answer, preview, compression, sweep
    var description: String { rawValue }
  }

  private static let job = JobID(5)
  private let model: TinyModel
  private let text: String

  init() throws {
    model = try TinyModel()
    let words = String(repeating: "In the beginning was the word, and so on it went. ", count: 40)
    text = try model.write(words, to: "text.txt")
  }

  private func plan(_ method: QuantizationMethod) -> Plan {
    Plan(rules: [
      PlanRule(layers: ["*"], change: SchemeChange(bits: 3, group: .size(16), method: method))
    ])
  }

  private func sensitivity(usesNoise: Bool = false) -> EngineCommand {
    .measureSensitivity(
      Self.job,
      SensitivityRequest(
        textPath: text, window: 64, gradientTokens: 256, tokenLimit: 256,
        candidates: [2, 4].map {
          Scheme(quantization: QuantizationScheme(bits: $0, group: .size(16), method: .gptq))
        }, usesNoise: usesNoise))
  }

  private func command(_ work: Work) -> EngineCommand {
    let scheme = Scheme(quantization: QuantizationScheme(bits: 2, group: .size(16), method: .gptq))
    let layer = "model.layers.1.mlp.down_proj"
    switch work {
    case .calibration: return .calibrate(Self.job, CalibrationRequest(textPath: text, window: 64))
    case .sensitivity: return sensitivity()
    case .noise: return sensitivity(usesNoise: true)
    case .refinement:
      return .refineSensitivity(
        Self.job,
        RefinementRequest(
          schemes: ["model.layers.0.mlp.up_proj": scheme, layer: scheme], textPath: text,
          window: 64))
    case .structure:
      return .chooseStructure(
        Self.job,
        StructureRequest(
          textPath: text, structure: ModelStructure(neurons: 32), blockCount: 1, window: 64,
          blockTokens: 256, gradientTokens: 256))
    case .evaluation:
      return .evaluate(Self.job, EvaluationRequest(textPath: text, window: 64, compares: false))
    case .logits:
      return .writeLogits(
        Self.job,
        LogitsRequest(
          textPath: text, tokenLimit: 64, side: .reference,
          outputPath: "\(model.path)/logits.safetensors", replaces: true))
    case .comparison:
      return .compareLayers(Self.job, LayerComparisonRequest(referencePath: model.path))
    case .export:
      return .export(
        Self.job,
        ExportRequest(
          format: .compressedTensors, target: .transformers, path: "\(model.path)/out",
          replaces: true))
    case .answer:
      return .generate(
        Self.job, GenerationRequest(prompt: "Tell me", isRaw: true, tokenLimit: 12))
    case .preview:
      return .preview(
        Self.job, layer: layer, scheme: Scheme(quantization: .init(bits: 3, group: .size(16))))
    case .compression: return .setPlan(plan(.rtn))
    case .sweep: return .setPlan(plan(.gptq))
    }
  }

  private func id(_ work: Work) -> JobID {
    work == .compression || work == .sweep ? .compression : Self.job
  }

  /// An engine that has what the work needs.
  private func makeDriver(_ work: Work) -> Driver {
    let driver = Driver(model)
    if work == .refinement { driver.send(sensitivity()) }
    if work == .sweep { driver.send(command(.calibration)) }
    driver.run()
    return driver
  }

  @Test(arguments: Work.allCases)
  func cancelledWorkEndsWhereItIs(_ work: Work) throws {
    let whole = makeDriver(work)
    whole.send(command(work))
    let steps = whole.run { if case .jobEnded(id(work), _) = $0 { true } else { false } }
    #expect(whole.events.endings.last == JobEnding(id: id(work), outcome: .finished))
    try #require(steps > 4)
    for share in [1, 2, 3] {
      let driver = makeDriver(work)
      driver.send(command(work))
      for _ in 0..<max(1, share * steps / 4 - share) { driver.step() }
      let before = driver.events.count
      driver.send(.cancel(id(work)))
      #expect(
        Array(driver.events[before...]) == [.jobEnded(id(work), .cancelled)], "\(work), \(share)")
      // Nothing of it goes on.
      #expect(driver.step() == nil)
      driver.send(command(work))
      driver.run()
      #expect(driver.events.endings.last == JobEnding(id: id(work), outcome: .finished))
    }
  }

  /// What waits for nothing else goes on only when nothing urgent is to do.
  @Test(arguments: [Work.calibration, .sensitivity, .evaluation, .structure, .comparison])
  func answersOvertakeLongWork(_ work: Work) throws {
    let driver = Driver(model)
    driver.send(command(work))
    for _ in 0..<3 { driver.step() }
    let answer = JobID(6)
    driver.send(
      .generate(answer, GenerationRequest(prompt: "Tell me", isRaw: true, tokenLimit: 8)))
    let before = driver.events.count
    driver.run { $0 == .jobEnded(answer, .finished) }
    let meanwhile = driver.events[before...]
    #expect(meanwhile.tokens(.reference).count == 8)
    #expect(!meanwhile.contains { if case .jobProgress(Self.job, _) = $0 { true } else { false } })
    #expect(driver.events.endings.map(\.id) == [answer])
    driver.run()
    #expect(driver.events.endings.last == JobEnding(id: Self.job, outcome: .finished))
  }

  /// What comes into sight while a layer is compressed is sampled first.
  @Test func layersInSightOvertakeLongCompression() throws {
    let driver = makeDriver(.sweep)
    driver.send(command(.sweep))
    for _ in 0..<20 { driver.step() }
    let seen = "model.layers.1.mlp.up_proj"
    driver.send(.look(at: [seen]))
    let plan = Plan(
      rules: plan(.gptq).rules + [
        PlanRule(layers: [seen], change: SchemeChange(bits: 5, group: .size(16), method: .rtn))
      ])
    driver.send(.setPlan(plan))
    let before = driver.events.count
    driver.run { if case .report = $0 { true } else { false } }
    let report = try #require(driver.events[before...].reports.first)
    #expect(report.layer == seen && report.scheme.quantization?.bits == 5)
    driver.run()
    #expect(driver.events.endings.last == JobEnding(id: .compression, outcome: .finished))
  }
}
