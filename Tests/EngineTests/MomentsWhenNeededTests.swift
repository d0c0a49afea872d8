import Compression
import Engine
import Export
import Foundation
import Testing

/// A calibration that leaves second moments out until a layer is compressed with them makes the same files.
@Suite struct MomentsWhenNeededTests {
  private static let job = JobID(3)

  private let model: TinyModel
  private let text: String

  private static let gptq = PlanRule(
    layers: ["model.layers.*"], change: SchemeChange(bits: 4, group: .size(16), method: .gptq))
  private static let sparse = PlanRule(
    layers: ["*.up_proj"],
    change: SchemeChange(
      keeps: true,
      sparsity: .scheme(SparsityScheme(pattern: .unstructured(ratio: 0.5), method: .wanda))))
  private static let weighted = PlanRule(
    layers: ["*.down_proj"],
    change: SchemeChange(bits: 4, group: .size(16), range: .weighted, method: .rtn))

  /// Plans, and whether they need second moments.
  static let plans: [(rules: [PlanRule], needsMoments: Bool)] = [
    ([gptq], false), ([gptq, weighted], true), ([gptq, sparse], true), ([weighted], true),
  ]

  init() throws {
    model = try TinyModel()
    let words = String(repeating: "In the beginning was the word, and so on it went. ", count: 60)
    text = try model.write(words, to: "text.txt")
  }

  /// The bytes of an export, and the calibrations that the engine began.
  private func exported(
    _ plans: [Plan], whenNeeded: Bool, streams: Bool
  ) throws -> (bytes: Data, calibrations: Int) {
    let driver = Driver(model, EngineSettings(threads: 1, streamsExports: streams))
    driver.send(
      .calibrate(
        Self.job,
        CalibrationRequest(textPath: text, window: 64, collectsWhenNeeded: whenNeeded)))
    driver.run()
    for plan in plans {
      driver.send(.setPlan(plan))
      driver.run()
    }
    let path = "\(model.path)/out-\(whenNeeded)-\(plans.count).safetensors"
    driver.send(
      .export(
        JobID(4),
        ExportRequest(
          format: .compressedTensors, target: .transformers, path: path, replaces: true)))
    driver.run()
    #expect(driver.events.endings.contains(JobEnding(id: JobID(4), outcome: .finished)))
    let calibrations = driver.events.count { event in
      if case .jobStarted(_, .calibrate, _) = event { true } else { false }
    }
    return (
      try Data(contentsOf: URL(filePath: "\(path)/model.safetensors")), calibrations
    )
  }

  @Test(arguments: plans.indices, [false, true]) func filesAreTheSame(
    index: Int, streams: Bool
  ) throws {
    let (rules, needsMoments) = Self.plans[index]
    let plan = Plan(rules: rules)
    let always = try exported([plan], whenNeeded: false, streams: streams)
    let late = try exported([plan], whenNeeded: true, streams: streams)
    #expect(late.bytes == always.bytes)
    #expect(always.calibrations == 1)
    #expect(late.calibrations == (needsMoments ? 2 : 1))
  }

  /// A plan that comes to need moments gets them, and layers that were swept stay as they are.
  @Test func plansMayComeToNeedThem() throws {
    let plans = [Plan(rules: [Self.gptq]), Plan(rules: [Self.gptq, Self.weighted])]
    let late = try exported(plans, whenNeeded: true, streams: false)
    #expect(late.calibrations == 2)
    #expect(late.bytes == (try exported(plans, whenNeeded: false, streams: false)).bytes)
  }

  @Test func previewsGetThem() throws {
    let driver = Driver(model)
    driver.send(
      .calibrate(
        Self.job, CalibrationRequest(textPath: text, window: 64, collectsWhenNeeded: true)))
    driver.run()
    let scheme = Scheme(
      quantization: QuantizationScheme(bits: 4, group: .size(16), range: .weighted))
    driver.send(.preview(JobID(5), layer: "model.layers.0.mlp.up_proj", scheme: scheme))
    driver.run()
    #expect(
      driver.events.endings.allSatisfy { $0.outcome == .finished }, "\(driver.events.endings)")
    let ended = driver.events.endings.map(\.id)
    #expect(ended.contains(.calibration) && ended.contains(JobID(5)))
  }
}
