import Compression
import Engine
import Export
import Foundation
import Inference
import Testing

/// Reports of a small model: they await what they tell of, and tell it.
@Suite struct ReportJobTests {
  private static let job = JobID(9)

  private let model: TinyModel
  private let plan = Plan(rules: [
    PlanRule(layers: ["*.mlp.*"], change: SchemeChange(bits: 4, group: .size(32)))
  ])

  init() throws { model = try TinyModel() }

  private func request(_ notes: ReportNotes = ReportNotes()) -> ExportRequest {
    ExportRequest(
      format: .report, target: .vllm, path: "\(model.path)/report", replaces: true, notes: notes)
  }

  private func written() throws -> [String: Any] {
    let data = try Data(contentsOf: URL(filePath: "\(model.path)/report/report.json"))
    return try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  private func outcome(of driver: Driver) -> JobOutcome? {
    driver.events.endings.last { $0.id == Self.job }?.outcome
  }

  @Test func awaitsCompressedLayers() throws {
    let driver = Driver(model)
    driver.send(.setPlan(plan))
    driver.send(.export(Self.job, request()))
    driver.run()
    #expect(outcome(of: driver) == .finished)
    let layers = try #require(try written()["layers"] as? [[String: Any]])
    #expect(layers.count == TinyModel.layers)
    for layer in layers {
      let name = try #require(layer["name"] as? String)
      let report = layer["report"] as? [String: Any]
      let last = driver.events.reports.last { $0.layer == name }
      #expect(report?["bits_per_weight"] as? Double == last?.bitsPerWeight, "\(name)")
      #expect((report != nil) == name.contains(".mlp."), "\(name)")
    }
  }

  /// Bytes of all tensors are those of the layers, and of what is no layer as it was.
  @Test func bytesAddUp() throws {
    let driver = Driver(model)
    driver.send(.setPlan(plan))
    driver.send(.export(Self.job, request()))
    driver.run()
    let report = try written()
    let layers = try #require(report["layers"] as? [[String: Any]])
    let saved = layers.reduce(0) { sum, layer in
      sum + ((layer["original_bytes"] as? Int ?? 0) - (layer["bytes"] as? Int ?? 0))
    }
    let original = (report["model"] as? [String: Any])?["bytes"] as? Int
    #expect(saved > 0)
    #expect(report["bytes"] as? Int == (original ?? 0) - saved)
  }

  @Test func planInTheReportIsThePlan() throws {
    let driver = Driver(model)
    driver.send(.setPlan(plan))
    driver.send(.export(Self.job, request()))
    driver.run()
    let text = try #require(try written()["plan"] as? String)
    let path = try model.write(text, to: "again.yaml")
    let again = try Plan(yaml: String(contentsOfFile: path, encoding: .utf8))
    let second = Driver(model)
    second.send(.setPlan(again))
    second.run()
    #expect(
      Set(second.events.reports.map { "\($0.layer) \($0.scheme)" })
        == Set(driver.events.reports.map { "\($0.layer) \($0.scheme)" }))
  }

  @Test func tellsWhatWasMeasured() throws {
    var notes = ReportNotes()
    notes.add(
      EvaluationSummary(
        tokens: 100, windows: 2, referencePPL: Estimate(10, standardError: 1),
        compressedPPL: Estimate(11)), on: "a text")
    let driver = Driver(model)
    driver.send(.export(Self.job, request(notes)))
    driver.run()
    let figures = try #require(try written()["figures"] as? [[String: Any]])
    #expect(figures.map { $0["name"] as? String } == ["PPL", "PPL of the original"])
    #expect(figures.map { $0["value"] as? Double } == [11, 10])
    #expect(
      figures.allSatisfy {
        $0["how"] as? String == "100 tokens scored in 2 windows of a text"
          && $0["is_predicted"] as? Bool == false
      })
  }

  @Test func onlyReportsAreReplaced() throws {
    let driver = Driver(model)
    driver.send(.export(Self.job, request()))
    driver.run()
    driver.send(.export(Self.job, request()))
    driver.run()
    #expect(outcome(of: driver) == .finished)
    try FileManager.default.removeItem(atPath: "\(model.path)/report/report.json")
    driver.send(.export(Self.job, request()))
    driver.run()
    guard case .failed(let reason) = outcome(of: driver) else {
      Issue.record("somebody's directory was replaced")
      return
    }
    #expect(reason.contains("no export that could be replaced"))
  }
}
