import Compression
import Engine
import Testing

@Suite struct PreviewTests {
  private let model: TinyModel
  private let driver: Driver
  private let layer = "model.layers.1.mlp.up_proj"
  private let scheme = Scheme(quantization: QuantizationScheme(bits: 3, group: .size(32)))
  private let job = JobID(7)

  init() throws {
    model = try TinyModel()
    driver = Driver(model)
  }

  @Test func isSampledThenExact() {
    driver.send(.preview(job, layer: layer, scheme: scheme))
    driver.run()
    let reports = driver.events.reports
    #expect(reports.count == 2)
    #expect(reports.first?.standing != .exact)
    #expect(reports.last?.standing == .exact)
    #expect(reports.allSatisfy { $0.layer == layer && $0.scheme == scheme })
    #expect(driver.events.endings == [JobEnding(id: job, outcome: .finished)])
  }

  @Test func leavesTheRunningModelAlone() {
    driver.send(.preview(job, layer: layer, scheme: scheme))
    driver.run()
    #expect(!driver.events.contains { if case .compressed = $0 { true } else { false } })
  }

  @Test func isThereForThePlanAfterwards() {
    driver.send(.preview(job, layer: layer, scheme: scheme))
    driver.run()
    let plan = Plan(rules: [
      PlanRule(layers: [layer], change: SchemeChange(bits: 3, group: .size(32)))
    ])
    let events = driver.send(.setPlan(plan))
    #expect(events.reports.map(\.standing) == [.exact])
    #expect(driver.step() == nil)
  }

  @Test func goesBeforeThePlan() {
    let change = SchemeChange(bits: 4, group: .size(16))
    driver.send(.setPlan(Plan(rules: [PlanRule(layers: ["*"], change: change)])))
    driver.step()
    let before = driver.events.count
    driver.send(.preview(job, layer: layer, scheme: scheme))
    driver.run { $0 == .jobEnded(job, .finished) }
    #expect(driver.events[before...].reports.map(\.scheme) == [scheme, scheme])
  }

  @Test func sameIdTakesThePlaceOfTheOlder() {
    driver.send(.preview(job, layer: layer, scheme: scheme))
    let other = Scheme(quantization: QuantizationScheme(bits: 5, group: .size(32)))
    driver.send(.preview(job, layer: layer, scheme: other))
    driver.run()
    #expect(driver.events.reports.allSatisfy { $0.scheme == other })
    #expect(
      driver.events.endings == [
        JobEnding(id: job, outcome: .cancelled), JobEnding(id: job, outcome: .finished),
      ])
  }

  @Test func cancelLeavesNothing() {
    driver.send(.preview(job, layer: layer, scheme: scheme))
    driver.send(.cancel(job))
    #expect(driver.step() == nil)
    #expect(driver.events.reports.isEmpty)
    #expect(driver.events.endings == [JobEnding(id: job, outcome: .cancelled)])
  }

  @Test(arguments: [
    ("model.layers.9.mlp.up_proj", 4, 32, "no layer"),
    ("model.layers.1.mlp.up_proj", 4, 48, "48"),
    ("model.layers.1.mlp.up_proj", 9, 32, "9"),
  ])
  func impossiblePreviewFails(layer: String, bits: Int, group: Int, says: String) {
    let scheme = Scheme(quantization: QuantizationScheme(bits: bits, group: .size(group)))
    driver.send(.preview(job, layer: layer, scheme: scheme))
    guard case .failed(let reason) = driver.events.endings.last?.outcome else {
      Issue.record("it did not fail: \(driver.events)")
      return
    }
    #expect(reason.contains(says))
    #expect(driver.step() == nil)
  }
}
