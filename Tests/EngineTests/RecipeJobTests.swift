import Checkpoints
import Compression
import Engine
import Export
import Foundation
import Testing

/// Recipes of a small model: no layer is compressed for them, and what they cannot do is refused.
@Suite struct RecipeJobTests {
  private static let job = JobID(9)

  private let model: TinyModel
  private let driver: Driver

  init() throws {
    model = try TinyModel()
    driver = Driver(model, EngineSettings(threads: 1, streamsExports: true))
  }

  private func request(_ target: ExportTarget) -> ExportRequest {
    ExportRequest(format: .recipe, target: target, path: "\(model.path)/recipe")
  }

  private func export(_ target: ExportTarget) -> JobOutcome? {
    driver.send(.export(Self.job, request(target)))
    driver.run()
    return driver.events.endings.last { $0.id == Self.job }?.outcome
  }

  private func written(_ name: String) throws -> Data {
    try Data(contentsOf: URL(filePath: "\(model.path)/recipe/\(name)"))
  }

  private func setPlan(_ change: SchemeChange) {
    driver.send(.setPlan(Plan(rules: [PlanRule(layers: ["*.mlp.*"], change: change)])))
  }

  @Test(arguments: [false, true])
  func calibrationGoesWithTensorTypes(collectsWhenNeeded: Bool) throws {
    let text = try model.write(
      String(repeating: "In the beginning was the word. ", count: 40), to: "text.txt")
    driver.send(
      .calibrate(
        JobID(1),
        CalibrationRequest(
          textPath: text, window: 64, tokenLimit: 256, collectsWhenNeeded: collectsWhenNeeded)))
    driver.run()
    setPlan(SchemeChange(block: .q8_0))
    #expect(export(.llamaCpp) == .finished)
    let path = try model.write("", to: "imatrix.gguf")
    try written("imatrix.gguf").write(to: URL(filePath: path))
    let imatrix = try ImportanceMatrix(path: path)
    #expect(imatrix.entries["blk.0.ffn_up.weight"]?.tokens == 256)
    let types = String(decoding: try written("tensor-types.txt"), as: UTF8.self)
    #expect(types.contains("ffn_up\\.weight$=q8_0"))
  }

  @Test func previewIsWhatIsWritten() throws {
    setPlan(SchemeChange(bits: 4, group: .size(32), method: .gptq))
    let events = driver.send(.previewExport(request(.transformers)))
    guard case .exportPreview(let preview)? = events.last else {
      Issue.record("\(events)")
      return
    }
    #expect(export(.transformers) == .finished)
    #expect(driver.events.contains(.exported(Self.job, preview)))
    for file in preview.files { #expect(try written(file.name).count == file.bytes) }
    // Codes are chosen elsewhere.
    #expect(driver.events.reports.isEmpty)
    let measured = try JSONDecoder().decode(
      PlanMeasurement.self, from: try written("measurement.json"))
    #expect(measured.layers.count == TinyModel.layers)
    #expect(measured.layers.allSatisfy { ($0.scheme != "keep") == $0.name.contains(".mlp.") })
  }

  @Test func structuresAndHQQAreRefused() {
    setPlan(SchemeChange(bits: 4, group: .size(32), isSymmetric: false, method: .hqq))
    guard case .failed(let reason)? = export(.transformers) else {
      Issue.record("HQQ was exported")
      return
    }
    #expect(reason.contains("no HQQ"))
    #expect(!FileManager.default.fileExists(atPath: "\(model.path)/recipe"))
    driver.send(.setPlan(Plan(structure: ModelStructure(removedBlocks: [1]))))
    guard case .failed(let why)? = export(.transformers) else {
      Issue.record("a structure was exported")
      return
    }
    #expect(why.contains("recipes remove no blocks"))
  }
}
