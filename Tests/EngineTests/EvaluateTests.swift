import Checkpoints
import Compression
import Engine
import Inference
import Tensors
import Testing

@Suite struct EvaluateTests {
  private let model: TinyModel
  private let driver: Driver
  private let job = JobID(5)
  private let text: String
  private let words = String(repeating: "In the beginning was the word.\nAnd so on. ", count: 20)
  private let coarse = Plan(rules: [
    PlanRule(layers: ["*"], change: SchemeChange(bits: 2, group: .size(32)))
  ])

  init() throws {
    model = try TinyModel()
    driver = Driver(model)
    text = try model.write(words, to: "text.txt")
  }

  private var result: EvaluationSummary? {
    driver.events.compactMap { if case .evaluated(job, let result) = $0 { result } else { nil } }
      .last
  }

  private var failure: String? {
    guard case .failed(let reason)? = driver.events.endings.last?.outcome else { return nil }
    return reason
  }

  private func request(compares: Bool) -> EvaluationRequest {
    EvaluationRequest(textPath: text, window: 64, compares: compares)
  }

  @Test func measuresTheReference() throws {
    driver.send(.evaluate(job, request(compares: false)))
    driver.run()
    let checkpoint = try Checkpoint.open(model.path)
    let reference = try Decoder(checkpoint: checkpoint, pool: WorkerPool(threads: 1))
    var evaluation = try Evaluation(
      tokens: words.utf8.map(Int.init), settings: Evaluation.Settings(window: 64),
      reference: reference, compares: false)
    try evaluation.run(reference: reference)
    let expected = try #require(evaluation.result)
    #expect(result?.referencePPL == expected.referencePPL)
    #expect(result?.tokens == expected.tokens)
    #expect(result?.compressedPPL == nil)
    #expect(result?.divergence == nil)
  }

  @Test func keptModelIsTheReference() throws {
    driver.send(.evaluate(job, request(compares: true)))
    driver.run()
    let result = try #require(result)
    #expect(result.compressedPPL == result.referencePPL)
    #expect(result.divergence?.max.value == 0)
    #expect(result.top1Agreement?.value == 1)
  }

  @Test func inputsThatAreLeftOutMoveTheModel() throws {
    let calibration = try model.write(words, to: "calibration.txt")
    #expect(calibration.hasPrefix(model.path))
    var request = request(compares: false)
    request.inputSparsity = 0.5
    driver.send(.evaluate(job, request))
    driver.run()
    let result = try #require(result)
    #expect(abs(try #require(result.inputSparsity) - 0.5) < 0.1)
    #expect(try #require(result.divergence).mean.value > 1e-6)
    request.inputSparsity = 0
    driver.send(.evaluate(job, request))
    driver.run()
    #expect(self.result?.inputSparsity == nil && self.result?.divergence == nil)
  }

  @Test func waitsForThePlanAndMeasuresIt() throws {
    driver.send(.setPlan(coarse))
    driver.send(.evaluate(job, request(compares: true)))
    driver.run()
    let result = try #require(result)
    #expect((result.divergence?.mean.value ?? 0) > 0)
    #expect(result.compressedPPL != result.referencePPL)
  }

  @Test func anotherPlanIsMeasuredAndTheCurrentOneStays() throws {
    driver.send(.setPlan(coarse))
    driver.send(.evaluate(job, request(compares: true)))
    driver.run()
    let measured = try #require(result)
    let reports = driver.events.reports.count
    driver.send(.setPlan(Plan()))
    driver.send(.evaluate(job, EvaluationRequest(textPath: text, window: 64, plan: coarse)))
    driver.run()
    #expect(result?.divergence == measured.divergence)
    #expect(result?.compressedPPL == measured.compressedPPL)
    // Nobody hears of the other plan's layers, and what runs is the current plan.
    #expect(driver.events.reports.count == reports)
    driver.send(.evaluate(job, request(compares: true)))
    driver.run()
    #expect(result?.divergence?.max.value == 0)
  }

  @Test func anotherPlanIsCalibratedForWhereItsMethodsNeedThat() throws {
    let gptq = Plan(rules: [
      PlanRule(
        layers: ["*"], change: SchemeChange(bits: 2, group: .size(32), method: .gptq))
    ])
    let request = EvaluationRequest(textPath: text, window: 64, plan: gptq)
    driver.send(.evaluate(job, request))
    driver.run()
    #expect(driver.events.endings.map(\.outcome) == [.finished, .finished])
    let aside = try #require(result?.divergence?.mean.value)
    driver.send(.setPlan(gptq))
    driver.send(.evaluate(job, self.request(compares: true)))
    driver.run()
    #expect(result?.divergence?.mean.value == aside)
  }

  @Test func aPlanThatDoesNotFitIsRefusedByName() throws {
    let wide = Plan(rules: [
      PlanRule(layers: ["*"], change: SchemeChange(bits: 4, group: .size(256)))
    ])
    driver.send(.evaluate(job, EvaluationRequest(textPath: text, window: 64, plan: wide)))
    driver.run()
    #expect(failure?.contains("256") == true)
  }

  @Test func planChangedMeanwhileIsNotMeasured() throws {
    driver.send(.setPlan(coarse))
    driver.run()
    driver.send(.evaluate(job, request(compares: true)))
    driver.run()
    let before = result
    driver.send(.evaluate(job, request(compares: true)))
    for _ in 0..<5 { driver.step() }
    driver.send(.setPlan(Plan()))
    driver.run()
    #expect(result == before)
  }

  @Test func answersGoFirst() throws {
    driver.send(.evaluate(job, request(compares: false)))
    for _ in 0..<4 { driver.step() }
    let generation = GenerationRequest(prompt: "a", isRaw: true, sides: [.reference], tokenLimit: 8)
    driver.send(.generate(JobID(6), generation))
    driver.run()
    #expect(driver.events.endings.map(\.id) == [JobID(6), job])
  }

  @Test func readsOnlySoManyWindows() throws {
    var request = request(compares: false)
    request.windowLimit = 2
    driver.send(.evaluate(job, request))
    driver.run()
    #expect(result?.tokens == 2 * 31)
  }

  @Test func cancelLeavesNoResult() {
    driver.send(.evaluate(job, request(compares: false)))
    for _ in 0..<4 { driver.step() }
    driver.send(.cancel(job))
    #expect(driver.step() == nil)
    #expect(result == nil)
    #expect(driver.events.endings == [JobEnding(id: job, outcome: .cancelled)])
  }

  @Test(arguments: [[], [0x61, 0xFF, 0x62], [0x61]] as [[UInt8]])
  func badTextFailsWithItsPath(bytes: [UInt8]) throws {
    let path = try model.write(bytes, to: "bad.txt")
    driver.send(.evaluate(job, EvaluationRequest(textPath: path, window: 64)))
    driver.run()
    guard case .failed(let reason) = driver.events.endings.last?.outcome else {
      Issue.record("it did not fail: \(driver.events.endings)")
      return
    }
    #expect(reason.hasPrefix(path))
  }

  @Test func missingTextFailsWithItsPath() {
    let path = model.path + "/none.txt"
    driver.send(.evaluate(job, EvaluationRequest(textPath: path)))
    driver.run()
    guard case .failed(let reason) = driver.events.endings.last?.outcome else {
      Issue.record("it did not fail: \(driver.events.endings)")
      return
    }
    #expect(reason.hasPrefix(path))
  }
}
