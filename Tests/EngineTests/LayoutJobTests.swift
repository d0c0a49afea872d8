import Allocation
import Compression
import Engine
import Export
import Foundation
import Testing

/// Beginning from a quantized file: its layout, its size, and what its own weights should cost.
@Suite struct LayoutJobTests {
  private let model: TinyModel
  private let driver: Driver
  private let job = JobID(5)
  private let plan = Plan(rules: [
    PlanRule(layers: ["*"], change: SchemeChange(block: .q4_0)),
    PlanRule(layers: ["*.v_proj"], change: SchemeChange(block: .q8_0)),
    PlanRule(layers: ["*.o_proj", "*embed*"], change: SchemeChange(keeps: true)),
  ])

  init() throws {
    model = try TinyModel()
    driver = Driver(model)
  }

  /// Exports under a plan, by an engine of its own.
  private func export(_ plan: Plan, _ target: ExportTarget, as name: String) throws -> String {
    let path = "\(model.path)/\(name)"
    let writer = Driver(model, EngineSettings(threads: 1, streamsExports: true))
    writer.send(.setPlan(plan))
    writer.send(
      .export(job, ExportRequest(format: target.format, target: target, path: path)))
    writer.run()
    try #require(writer.events.endings.last { $0.id == job }?.outcome == .finished)
    return path
  }

  private func layout(of path: String, by driver: Driver? = nil) -> StoredLayout? {
    let driver = driver ?? self.driver
    driver.send(.readLayout(job, LayoutRequest(path: path)))
    driver.run()
    return driver.events.compactMap {
      if case .layoutRead(job, let found) = $0 { found } else { nil }
    }.last
  }

  private var remarks: [String] {
    driver.events.compactMap { if case .remarked(job, let text) = $0 { text } else { nil } }
  }

  private func failure() -> String? {
    if case .failed(let reason)? = driver.events.endings.last?.outcome { reason } else { nil }
  }

  @Test func theLayoutIsThePlanAndTheBytesAreTheFiles() throws {
    let path = try export(plan, .llamaCpp, as: "out.gguf")
    let found = try #require(layout(of: path))
    #expect(found.target == .llamaCpp)
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
    #expect(found.bytes == size)
    for layer in found.layers {
      let block: BlockType? =
        layer.name.hasSuffix("v_proj")
        ? .q8_0 : layer.name.hasSuffix("o_proj") || layer.name.contains("embed") ? nil : .q4_0
      #expect(layer.scheme.quantization?.block == block && layer.isExact)
      let error = try #require(layer.relativeError)
      // 4 bits in blocks of 32 lose about a tenth, 8 bits about 1/180, F16 nothing that counts.
      let range = block == .q4_0 ? 0.03..<0.2 : block == .q8_0 ? 0.002..<0.02 : 0..<0.001
      #expect(range.contains(error), "\(layer.name): \(error)")
      #expect(layer.divergence == nil)
    }
    #expect(found.predicted == nil && remarks.isEmpty)
  }

  @Test func integerCodesAreReadWithTheirGroups() throws {
    let plan = Plan(rules: [
      PlanRule(
        layers: ["*.up_proj"],
        change: SchemeChange(bits: 4, group: .size(16), isSymmetric: false)),
      PlanRule(layers: ["*.down_proj"], change: SchemeChange(bits: 8, group: .channel)),
    ])
    let path = try export(plan, .transformers, as: "out")
    let found = try #require(layout(of: path))
    #expect(found.target == .vllm)
    for layer in found.layers {
      let quantization = layer.scheme.quantization
      if layer.name.hasSuffix("up_proj") {
        #expect(quantization?.bits == 4 && quantization?.group == .size(16))
        #expect(quantization?.isSymmetric == false)
      } else if layer.name.hasSuffix("down_proj") {
        #expect(quantization?.bits == 8 && quantization?.group == .channel)
      } else {
        #expect(layer.scheme.keepsLayer)
      }
    }
  }

  /// The prediction from the file's weights is that of the trials, since the file holds what was tried.
  @Test func whatItsWeightsCostIsPredictedOnceSensitivityIsKnown() throws {
    let path = try export(plan, .llamaCpp, as: "out.gguf")
    let words = String(repeating: "In the beginning was the word, and so on it went. ", count: 60)
    let text = try model.write(words, to: "text.txt")
    let candidates = [BlockType.q4_0, .q8_0].map {
      Scheme(quantization: QuantizationScheme(block: $0))
    }
    driver.send(
      .measureSensitivity(
        job,
        SensitivityRequest(
          textPath: text, window: 64, gradientTokens: 512, tokenLimit: 2048,
          candidates: candidates)))
    driver.run()
    let found = try #require(layout(of: path))
    let predicted = try #require(found.predicted)
    driver.send(.setPlan(plan))
    driver.run()
    let tried = driver.events.compactMap { event -> PredictedDivergence? in
      if case .predicted(let found?) = event { found } else { nil }
    }
    let expected = try #require(tried.last)
    #expect(expected.mean > 0)
    #expect((predicted.mean / expected.mean - 1).magnitude < 0.1)
    let marks = driver.send(
      .drawFrontier(AllocationSettings(target: .llamaCpp))
    ).compactMap { event -> [FrontierPoint]? in
      if case .frontier(let found) = event { found.marks } else { nil }
    }
    let mark = try #require(marks.last?.last { $0.name == "out.gguf" })
    #expect(mark.bytes == found.bytes && mark.divergence == predicted.mean)
  }

  @Test func pruningThatAFileDoesNotTellOfIsRemarked() throws {
    let pruned = Plan(
      rules: plan.rules + [
        PlanRule(
          layers: ["*.o_proj"],
          change: SchemeChange(
            keeps: true, sparsity: .scheme(SparsityScheme(pattern: .unstructured(ratio: 0.5)))))
      ])
    let found = try #require(layout(of: try export(pruned, .llamaCpp, as: "out.gguf")))
    #expect(found.layers.contains { $0.name.hasSuffix("o_proj") && $0.scheme.keepsLayer })
    #expect(remarks.count == 1)
    #expect(remarks.first?.contains("o_proj, and yet it differs") == true)
  }

  @Test func filesThatSayNothingAreRefused() throws {
    #expect(layout(of: model.path) == nil)
    #expect(failure()?.hasSuffix("is not quantized: there is no layout to begin from") == true)
    let other = try TinyModel(seed: 9)
    let writer = Driver(other, EngineSettings(threads: 1, streamsExports: true))
    writer.send(.setPlan(plan))
    let path = "\(other.path)/other.gguf"
    writer.send(.export(job, ExportRequest(format: .gguf, target: .llamaCpp, path: path)))
    writer.run()
    #expect(layout(of: path) == nil)
    #expect(failure()?.contains("was not made of") == true)
    #expect(layout(of: "\(model.path)/nothing.gguf") == nil)
    #expect(failure()?.contains("nothing.gguf") == true)
  }
}
