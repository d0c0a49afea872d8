import Foundation
import Sessions
import Testing

@Suite struct RecentModelTests {
  private let fixture: Fixture

  init() throws { fixture = try Fixture() }

  @Test func theModelOpenedLastComesFirst() throws {
    let store = try fixture.open()
    for (place, name) in ["a", "b", "a"].enumerated() {
      try store.note(
        .synthetic(name, path: "/models/\(place)"),
        opened: Date(timeIntervalSince1970: Double(place)))
    }
    let recent = try store.recentModels()
    #expect(recent.map(\.model.fingerprint) == ["a", "b"])
    #expect(recent.map(\.model.path) == ["/models/2", "/models/1"])
    #expect(recent[0].opened == Date(timeIntervalSince1970: 2))
    #expect(recent.allSatisfy { $0.plan == nil && $0.evaluations == 0 })
    #expect(try store.recentModels(limit: 1).count == 1)
  }

  @Test func theNewestSessionSaysWhatThePlanIs() throws {
    let store = try fixture.open()
    try store.note(.synthetic())
    for (time, bits) in [(10.0, [8, 4]), (20, [8, 6, 5])] {
      var writer = SessionWriter(try store.beginSession(), with: nil, of: "abc", in: store)
      try writer.write(.of(bits: bits), changed: Date(timeIntervalSince1970: time))
    }
    _ = try store.record(
      PlanEvaluation(
        textPath: "a.txt", plan: .bits(5), result: .synthetic(0.1), bytes: 1, bitsPerWeight: 2),
      of: "abc")
    let recent = try #require(try store.recentModels().first)
    let plan = try #require(recent.plan)
    #expect(plan.changes == 2 && !plan.isSaved && plan.file == nil)
    #expect(plan.target == "llama.cpp" && plan.bytes == 600 && plan.bitsPerWeight == 9.6)
    #expect(plan.changed == Date(timeIntervalSince1970: 20))
    #expect(recent.evaluations == 1)
  }

  @Test func aPlanAtItsSavedVersionIsSaved() throws {
    let store = try fixture.open()
    try store.note(.synthetic())
    var writer = SessionWriter(try store.beginSession(), with: nil, of: "abc", in: store)
    try writer.write(.of(bits: [8, 4], position: 0))
    #expect(try store.recentModels().first?.plan?.isSaved == true)
    try writer.write(.of(bits: [8, 4], position: 1))
    #expect(try store.recentModels().first?.plan?.isSaved == false)
  }

  @Test func whatIsForgottenIsGoneAndOthersStay() throws {
    let store = try fixture.open()
    for name in ["a", "b"] {
      try store.note(.synthetic(name))
      var writer = SessionWriter(try store.beginSession(), with: nil, of: name, in: store)
      try writer.write(.of(bits: [8, 4], documents: ["window": "{}"]))
      _ = try store.record(
        PlanEvaluation(
          textPath: "a.txt", plan: .bits(4), result: .synthetic(0.1), bytes: 1, bitsPerWeight: 2),
        of: name)
    }
    try store.forget("a")
    #expect(try store.recentModels().map(\.model.fingerprint) == ["b"])
    #expect(try store.evaluations(of: "a").isEmpty)
    for (table, count) in [("plan", 2), ("session", 1), ("version", 2), ("document", 1)] {
      #expect(try fixture.ask("SELECT count(*) FROM \(table)") == ["\(count)"], "\(table)")
    }
  }
}
