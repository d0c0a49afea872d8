import Compression
import Engine
import Export
import Foundation
import Testing

/// A compressed model that memory cannot hold is refused before anything is compressed; its export goes on without it.
struct MemoryTests {
  private static let job = JobID(5)
  private let model: TinyModel

  init() throws { model = try TinyModel() }

  private func driver(memory: Int?) -> Driver {
    let driver = Driver(model, EngineSettings(threads: 1, memoryBytes: memory))
    driver.send(
      .setPlan(Plan(rules: [PlanRule(layers: ["*"], change: SchemeChange(block: .q8_0))])))
    return driver
  }

  private func failures(of driver: Driver) -> [JobID: String] {
    driver.events.endings.reduce(into: [:]) { found, ending in
      if case .failed(let reason) = ending.outcome { found[ending.id] = reason }
    }
  }

  @Test func layersAreSampledAndNoneIsCompressed() {
    let driver = driver(memory: 1000)
    driver.run()
    #expect(failures(of: driver)[.compression]?.contains("more memory, and 0.00 GB") == true)
    #expect(!driver.events.reports.isEmpty)
    #expect(driver.events.reports.allSatisfy { $0.standing != .exact })
  }

  @Test func whoAwaitsTheModelIsToldWhy() throws {
    let driver = driver(memory: 1000)
    driver.run()
    let text = try model.write(String(repeating: "In the beginning. ", count: 20), to: "text.txt")
    driver.send(.evaluate(Self.job, EvaluationRequest(textPath: text, window: 16)))
    driver.run()
    #expect(failures(of: driver)[Self.job]?.contains("the compressed model takes") == true)
  }

  @Test func anExportGoesLayerByLayerToTheSameBytes() throws {
    var files: [Data] = []
    for memory in [1000, nil] {
      let driver = driver(memory: memory)
      driver.run()
      let path = model.path + "/out-\(memory ?? 0).gguf"
      driver.send(
        .export(Self.job, ExportRequest(format: .gguf, target: .llamaCpp, path: path)))
      driver.run()
      #expect(failures(of: driver)[Self.job] == nil)
      files.append(try Data(contentsOf: URL(filePath: path)))
    }
    #expect(files[0] == files[1])
  }
}
