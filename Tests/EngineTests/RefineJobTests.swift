import Allocation
import Compression
import Engine
import Foundation
import Inference
import Testing

/// Single layers and plans that are measured, and what predictions learn from them.
@Suite struct RefineJobTests {
  private let model: TinyModel
  private let text: String
  private let job = JobID(5)
  private let candidates = [2, 4].map { bits in
    Scheme(
      quantization: QuantizationScheme(
        bits: bits, group: .size(16), range: .weighted, method: .gptq))
  }

  init() throws {
    model = try TinyModel()
    let words = String(repeating: "In the beginning was the word, and so on it went. ", count: 60)
    text = try model.write(words, to: "text.txt")
  }

  private func measured(usesNoise: Bool = false) -> Driver {
    let driver = Driver(model)
    driver.send(
      .measureSensitivity(
        job,
        SensitivityRequest(
          textPath: text, window: 64, gradientTokens: 512, tokenLimit: 2048,
          candidates: candidates, usesNoise: usesNoise)))
    driver.run()
    return driver
  }

  private func plan(_ driver: Driver, _ scheme: Scheme) -> [String: Scheme] {
    let layers = summary(driver)?.layers.map(\.layer) ?? []
    return Dictionary(layers.map { ($0, scheme) }, uniquingKeysWith: { first, _ in first })
  }

  private func summary(_ driver: Driver) -> SensitivitySummary? {
    driver.events.compactMap { event in
      switch event {
      case .sensitivity(_, let found), .sensitivityRefined(_, let found): found
      default: nil
      }
    }.last
  }

  /// What was evaluated last, in nats a token.
  private static func divergence(_ driver: Driver) -> Double? {
    driver.events.compactMap { event -> Double? in
      if case .evaluated(_, let found) = event { found.divergence?.mean.value } else { nil }
    }.last
  }

  private func refine(
    _ driver: Driver, _ schemes: [String: Scheme], layers: Int, savingTo path: String? = nil
  ) {
    driver.send(
      .refineSensitivity(
        job,
        RefinementRequest(
          schemes: schemes, textPath: text, window: 64, windowLimit: 4, layerLimit: layers,
          savePath: path)))
    driver.run()
  }

  /// What is measured of a layer alone is what a plan of that layer alone is evaluated to.
  @Test func layersAloneAreMeasuredAsPlansOfOneLayer() throws {
    let driver = measured()
    let before = try #require(summary(driver))
    refine(driver, plan(driver, candidates[0]), layers: 100)
    let after = try #require(summary(driver))
    let agreement = try #require(after.agreement?.layers)
    #expect(agreement.count == TinyModel.layers)
    var logs: [Double] = []
    for (old, layer) in zip(before.layers, after.layers) {
      let alone = Driver(model)
      alone.send(.calibrate(job, CalibrationRequest(textPath: text, window: 64, tokenLimit: 2048)))
      alone.run()
      alone.send(
        .setPlan(
          Plan(rules: [
            PlanRule(
              layers: [layer.layer],
              change: SchemeChange(
                bits: 2, group: .size(16), range: .weighted, method: .gptq))
          ])))
      alone.send(.evaluate(job, EvaluationRequest(textPath: text, window: 64, windowLimit: 4)))
      alone.run()
      let found = try #require(Self.divergence(alone))
      logs.append(log(old.schemes[0].divergence / found))
    }
    logs.sort()
    let middle = (logs[(logs.count - 1) / 2] + logs[logs.count / 2]) / 2
    #expect(abs(exp(middle) / agreement.ratio - 1) < 1e-3)
  }

  /// A calibration that nobody named collects what the measured schemes need, though the plan needs nothing of it.
  @Test func refiningCalibratesByItself() throws {
    let weighted = Scheme(
      quantization: QuantizationScheme(bits: 3, group: .size(16), range: .weighted))
    _ = try model.write(try String(contentsOfFile: text, encoding: .utf8), to: "calibration.txt")
    let path = "\(model.path)/kept.sensitivity"
    let first = Driver(model)
    first.send(
      .measureSensitivity(
        job,
        SensitivityRequest(
          textPath: text, window: 64, gradientTokens: 512, tokenLimit: 1024,
          candidates: [weighted], savePath: path)))
    first.run()
    let driver = Driver(model)
    driver.send(.openSensitivity(path: path))
    refine(driver, plan(first, weighted), layers: 3)
    #expect(driver.events.endings.last { $0.id == job }?.outcome == .finished)
    #expect(summary(driver)?.agreement?.layers?.count == 3)
  }

  @Test func evaluatedPlansTeachPredictions() throws {
    let driver = measured()
    driver.send(
      .setPlan(
        Plan(rules: [
          PlanRule(
            layers: ["*"],
            change: SchemeChange(bits: 2, group: .size(16), range: .weighted, method: .gptq))
        ])))
    driver.run()
    driver.send(.evaluate(job, EvaluationRequest(textPath: text, window: 64, windowLimit: 4)))
    driver.run()
    let divergence = try #require(Self.divergence(driver))
    let predictions = driver.events.compactMap { event in
      if case .predicted(let found) = event { found?.mean } else { nil }
    }
    let (before, after) = (
      try #require(predictions.dropLast(2).last), try #require(predictions.last)
    )
    #expect(abs(log(after / divergence)) < abs(log(before / divergence)))
    let plans = try #require(summary(driver)?.agreement?.plans)
    #expect(plans.count == 1 && abs(plans.ratio * divergence / before - 1) < 1e-6)
  }

  @Test func whatWasMeasuredIsKeptWhenTheJobIsCancelledAndAcrossSessions() throws {
    let (driver, path) = (measured(), model.path + "/refined")
    driver.send(
      .refineSensitivity(
        job,
        RefinementRequest(
          schemes: plan(driver, candidates[0]), textPath: text, window: 64, windowLimit: 4,
          layerLimit: 100, savePath: path)))
    driver.run { if case .sensitivityRefined = $0 { true } else { false } }
    driver.send(.cancel(job))
    driver.run()
    #expect(driver.events.endings.last == JobEnding(id: job, outcome: .cancelled))
    #expect(summary(driver)?.agreement?.layers?.count == 1)
    let other = Driver(model)
    other.send(.openSensitivity(path: path))
    #expect(summary(other) == SensitivitySummary(try #require(summary(driver)), at: path))
    // And goes on where it stopped.
    other.send(.calibrate(job, CalibrationRequest(textPath: text, window: 64, tokenLimit: 2048)))
    other.run()
    refine(other, plan(other, candidates[0]), layers: 2)
    #expect(other.events.endings.allSatisfy { $0.outcome == .finished })
    #expect(summary(other)?.agreement?.layers?.count == 3)
  }

  @Test func thereIsNothingToMeasureOfAPlanThatKeepsAll() {
    let driver = measured()
    refine(driver, plan(driver, .keep), layers: 10)
    guard case .failed(let reason)? = driver.events.endings.last?.outcome else {
      Issue.record("it did not fail")
      return
    }
    #expect(reason.contains("no layer is left to measure"))
    let ignorant = Driver(model)
    refine(ignorant, [:], layers: 10)
    #expect(ignorant.events.endings.last?.outcome != .finished)
  }

  /// Noise and gradients weigh layers alike, each its own way to the same figure.
  @Test func noiseWeighsLayersAsGradientsDo() throws {
    let (gradients, noise) = (summary(measured()), summary(measured(usesNoise: true)))
    let pairs = zip(try #require(gradients).layers, try #require(noise).layers).map {
      ($0.divergencePerRelativeError, $1.divergencePerRelativeError)
    }
    #expect(pairs.count == TinyModel.layers)
    let logs = pairs.map { log($0.0 / $0.1) }
    #expect(logs.allSatisfy { abs($0) < log(4) })
    let mean = logs.reduce(0, +) / Double(logs.count)
    #expect(abs(mean) < log(1.5))
  }

  /// A checkpoint with the same header and other weights is another model.
  @Test func sensitivityOfOtherWeightsIsRefused() throws {
    let path = model.path + "/saved"
    let driver = measured()
    driver.send(.saveSensitivity(path: path))
    let other = try TinyModel(seed: 99)
    let opened = Driver(other)
    let answers = opened.send(.openSensitivity(path: path))
    #expect(
      answers.contains { event in
        if case .sensitivityRefused(_, let reason) = event {
          reason.contains("measure it again")
        } else {
          false
        }
      })
  }
}

extension SensitivitySummary {
  /// The same, as it is when it was read from a file.
  fileprivate init(_ summary: SensitivitySummary, at path: String) {
    self = summary
    self.path = path
  }
}
