import Compression
import Engine
import Testing

@Suite struct PlanTests {
  private let model: TinyModel
  private let driver: Driver

  init() throws {
    model = try TinyModel()
    driver = Driver(model)
  }

  private func plan(bits: Int, layers: String = "*") -> Plan {
    Plan(rules: [
      PlanRule(layers: [layers], change: SchemeChange(bits: bits, group: .size(16)))
    ])
  }

  private let keep = Plan()

  /// Says of how many layers the last event spoke that runs as the plan says.
  private var progress: [Int] {
    let last = driver.events.last { if case .compressed = $0 { true } else { false } }
    guard case .compressed(let layers, let total) = last else { return [] }
    return [layers, total]
  }

  @Test func everyChangedLayerIsSampledThenExact() {
    driver.send(.setPlan(plan(bits: 4)))
    driver.run()
    let reports = driver.events.reports
    #expect(reports.count == 2 * TinyModel.layers)
    let sampled = reports.prefix(TinyModel.layers)
    #expect(sampled.allSatisfy { $0.standing != .exact })
    let exact = reports.suffix(TinyModel.layers)
    #expect(exact.allSatisfy { $0.standing == .exact })
    #expect(Set(exact.map(\.layer)) == Set(sampled.map(\.layer)))
    #expect(progress == [TinyModel.layers, TinyModel.layers])
    #expect(driver.events.endings == [JobEnding(id: .compression, outcome: .finished)])
  }

  @Test func layersInSightComeFirst() {
    let seen = ["model.layers.1.mlp.down_proj", "model.layers.0.self_attn.v_proj"]
    driver.send(.look(at: seen))
    driver.send(.setPlan(plan(bits: 4)))
    driver.run()
    let reports = driver.events.reports
    #expect(Array(reports.filter { $0.standing != .exact }.map(\.layer).prefix(2)) == seen)
    #expect(Array(reports.filter { $0.standing == .exact }.map(\.layer).prefix(2)) == seen)
  }

  @Test func onlyChangedLayersAreWorkedOn() {
    driver.send(.setPlan(plan(bits: 4)))
    driver.run()
    let before = driver.events.count
    var changed = plan(bits: 4)
    changed.rules.append(plan(bits: 2, layers: "*.v_proj").rules[0])
    driver.send(.setPlan(changed))
    driver.run()
    let reports = driver.events[before...].reports
    #expect(reports.count == 2 * TinyModel.blocks)
    #expect(reports.allSatisfy { $0.layer.hasSuffix("v_proj") })
  }

  @Test func earlierChoicesComeBackWithoutWork() {
    driver.send(.setPlan(plan(bits: 4)))
    driver.run()
    driver.send(.setPlan(plan(bits: 3)))
    driver.run()
    let again = driver.send(.setPlan(plan(bits: 4)))
    #expect(again.reports.count == TinyModel.layers)
    #expect(again.reports.allSatisfy { $0.standing == .exact })
    #expect(progress == [TinyModel.layers, TinyModel.layers])
    #expect(driver.step() == nil)
  }

  @Test func withoutCacheEarlierChoicesAreWorkedOutAgain() {
    let driver = Driver(model, EngineSettings(cacheBytes: 0, threads: 1))
    driver.send(.setPlan(plan(bits: 4)))
    driver.run()
    driver.send(.setPlan(plan(bits: 3)))
    driver.run()
    let before = driver.events.count
    driver.send(.setPlan(plan(bits: 4)))
    driver.run()
    let reports = driver.events[before...].reports
    #expect(reports.count { $0.standing == .exact } == TinyModel.layers)
    #expect(reports.count == 2 * TinyModel.layers)
  }

  @Test func keptLayersCostNothing() {
    let events = driver.send(.setPlan(keep))
    #expect(events.reports.isEmpty)
    #expect(progress == [0, 0])
    #expect(driver.step() == nil)
  }

  @Test func newerPlanSupersedesWhatHasNotBegun() {
    for bits in [8, 7, 6, 5] {
      driver.send(.setPlan(plan(bits: bits)))
      for _ in 0..<3 { driver.step() }
    }
    let before = driver.events.count
    driver.send(.setPlan(plan(bits: 2)))
    driver.run()
    let reports = driver.events[before...].reports
    #expect(reports.allSatisfy { $0.scheme.quantization?.bits == 2 })
    #expect(reports.count == 2 * TinyModel.layers)
    #expect(driver.events.endings == [JobEnding(id: .compression, outcome: .finished)])
  }

  @Test func keepingAllAgainEndsTheWork() {
    driver.send(.setPlan(plan(bits: 4)))
    driver.step()
    driver.send(.setPlan(keep))
    #expect(progress == [0, 0])
    #expect(driver.step() == nil)
    #expect(driver.events.endings == [JobEnding(id: .compression, outcome: .finished)])
  }

  @Test func planThatDoesNotFitIsRefusedAndChangesNothing() {
    driver.send(.setPlan(plan(bits: 4)))
    driver.run()
    let wrong = Plan(rules: [
      PlanRule(layers: ["*"], change: SchemeChange(bits: 4, group: .size(128)))
    ])
    let events = Array(driver.send(.setPlan(wrong)))
    guard case .planRefused(let reason) = events.first else {
      Issue.record("the plan was not refused: \(events)")
      return
    }
    #expect(reason.contains("128"))
    #expect(events.count == 1)
    #expect(driver.step() == nil)
    #expect(driver.send(.setPlan(plan(bits: 4))).reports.isEmpty)
  }

  @Test func cancelledCompressionGoesOnWithTheNextPlan() {
    driver.send(.setPlan(plan(bits: 4)))
    driver.run { if case .compressed(let layers, _) = $0 { layers == 3 } else { false } }
    driver.send(.cancel(.compression))
    #expect(driver.step() == nil)
    #expect(driver.events.endings == [JobEnding(id: .compression, outcome: .cancelled)])
    driver.send(.setPlan(plan(bits: 4)))
    driver.run()
    #expect(progress == [TinyModel.layers, TinyModel.layers])
    let exact = driver.events.reports.filter { $0.standing == .exact }
    #expect(exact.count == TinyModel.layers)
  }

  @Test func withoutModelPlansAreRefused() {
    let events = Array(Driver().send(.setPlan(keep)))
    #expect(events == [.planRefused(reason: "no model is open; open one first")])
  }
}
