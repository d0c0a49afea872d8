import Compression
import Foundation
import Inference
import Sessions
import TestSupport
import Testing

@Suite struct SavedSessionTests {
  private let fixture: Fixture
  private let store: SessionStore

  init() throws {
    fixture = try Fixture()
    store = try fixture.open()
    try store.note(.synthetic())
  }

  @Test func everythingComesBack() throws {
    let saved = SavedSession.of(
      bits: [8, 4, 6], position: 1, documents: ["window": "{\"a\":1}", "prompt": "»ü«"])
    do {
      var writer = SessionWriter(try store.beginSession(), with: nil, of: "abc", in: store)
      try writer.write(saved)
    }
    #expect(try fixture.open().lastSession(of: "abc")?.session == saved)
    #expect(try fixture.open().lastSession(of: "another") == nil)
  }

  /// Whatever follows whatever, what is read is what was written last.
  @Test(arguments: [
    [([8], 0, 0), ([8, 4], 1, 0), ([8, 4, 6], 2, 0), ([8, 4, 6], 0, 0), ([8, 3], 1, 0)],
    [([8, 4, 6], 2, 0), ([4, 6, 5], 2, 1), ([6, 5, 2], 0, 2), ([6, 3], 1, 2)],
    [([8, 8, 8], 2, 0), ([8], 0, 0), ([8, 8], 1, 0)],
  ])
  func changesAreWrittenOneByOne(steps: [(bits: [Int], position: Int, forgotten: Int)]) throws {
    let held = try store.beginSession()
    var writer = SessionWriter(held, with: nil, of: "abc", in: store)
    for step in steps {
      let session = SavedSession.of(
        bits: step.bits, position: step.position, forgotten: step.forgotten,
        documents: ["step": "\(step.bits)"])
      try writer.write(session)
      let rows = try fixture.ask(
        "SELECT number, yaml FROM version JOIN plan ON plan.id = plan ORDER BY number"
      )
      .filter { $0.contains("|vise:") }
      #expect(rows.count == step.bits.count)
      #expect(rows.first?.hasPrefix("\(step.forgotten)|") == true)
    }
    // Only whoever holds it may go on with it.
    #expect(try fixture.open().lastSession(of: "abc") == nil)
  }

  /// A session that lives is nobody else's; once its program has ended, the next goes on with it.
  @Test func livingSessionsAreNotOffered() throws {
    func write(_ bits: [Int], at time: Double) throws -> SessionWriter {
      var writer = SessionWriter(try store.beginSession(), with: nil, of: "abc", in: store)
      try writer.write(.of(bits: bits), changed: Date(timeIntervalSince1970: time))
      return writer
    }
    var older: SessionWriter? = try write([8, 4], at: 1)
    var newer: SessionWriter? = try write([8, 5], at: 2)
    #expect(try store.lastSession(of: "abc") == nil)
    older = nil
    #expect(try store.lastSession(of: "abc")?.session.versions.last?.plan == .bits(4))
    newer = nil
    let last = try #require(try store.lastSession(of: "abc"))
    #expect(last.session.versions.last?.plan == .bits(5))
    // This one is held now, so that the other is the next.
    #expect(try store.lastSession(of: "abc")?.session.versions.last?.plan == .bits(4))
    _ = (older, newer, last)
  }

  @Test func goingOnWritesTheSameSession() throws {
    do {
      var writer = SessionWriter(try store.beginSession(), with: nil, of: "abc", in: store)
      try writer.write(.of(bits: [8, 4]))
    }
    do {
      let last = try #require(try store.lastSession(of: "abc"))
      var writer = SessionWriter(last.held, with: last.session, of: "abc", in: store)
      try writer.write(.of(bits: [8, 4, 6]))
    }
    #expect(try fixture.ask("SELECT count(*) FROM session") == ["1"])
    #expect(try store.lastSession(of: "abc")?.session == .of(bits: [8, 4, 6]))
  }

  @Test func oldSessionsGoWithTheirPlans() throws {
    for number in 0..<25 {
      var writer = SessionWriter(try store.beginSession(), with: nil, of: "abc", in: store)
      try writer.write(
        .of(bits: [8, 2 + number % 3]), changed: Date(timeIntervalSince1970: Double(number)))
    }
    #expect(try fixture.ask("SELECT count(*) FROM session") == ["20"])
    #expect(try fixture.ask("SELECT min(changed) FROM session") == ["5.0"])
    #expect(try fixture.ask("SELECT count(*) FROM plan") == ["4"])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: "\(fixture.directory)/living").isEmpty)
  }

  /// A session without work is not removed by its own first write, nor left without its versions by that of another.
  @Test func aSessionThatIsWrittenStays() throws {
    for number in 0..<20 {
      var writer = SessionWriter(try store.beginSession(), with: nil, of: "abc", in: store)
      try writer.write(
        .of(bits: [8, 4]), changed: Date(timeIntervalSince1970: Double(100 + number)))
    }
    func idle(_ bits: [Int], position: Int) -> SavedSession {
      var session = SavedSession.of(bits: bits, position: position, documents: ["window": "{}"])
      session.hasWork = bits.count > 1
      return session
    }
    do {
      var writer = SessionWriter(try store.beginSession(), with: nil, of: "abc", in: store)
      try writer.write(idle([8], position: 0), changed: Date(timeIntervalSince1970: 200))
      #expect(try fixture.ask("SELECT count(*) FROM session WHERE hasWork = 0") == ["1"])
      var other = SessionWriter(try store.beginSession(), with: nil, of: "abc", in: store)
      try other.write(.of(bits: [8, 5]), changed: Date(timeIntervalSince1970: 201))
      #expect(try fixture.ask("SELECT count(*) FROM session WHERE hasWork = 0") == ["0"])
      try writer.write(idle([8, 3], position: 1), changed: Date(timeIntervalSince1970: 202))
      try writer.write(idle([8, 3], position: 0), changed: Date(timeIntervalSince1970: 203))
    }
    #expect(try store.lastSession(of: "abc")?.session == idle([8, 3], position: 0))
  }

  /// Rows that make no sense, or were written by a program that knew more, hide nothing else.
  @Test(arguments: [
    "DELETE FROM version WHERE number = 0 AND session = (SELECT id FROM session WHERE changed = 2)",
    "UPDATE session SET position = 7 WHERE changed = 2",
    "UPDATE plan SET yaml = 'bits: 4' WHERE yaml LIKE '%bits: 4%'",
  ])
  func aRowThatCannotBeReadIsPassedOver(damage: String) throws {
    for (time, bits) in [(1, [8, 5]), (2, [8, 4])] {
      var writer = SessionWriter(try store.beginSession(), with: nil, of: "abc", in: store)
      try writer.write(
        .of(bits: bits, position: time == 1 ? 1 : 0),
        changed: Date(timeIntervalSince1970: Double(time)))
      _ = try store.record(
        PlanEvaluation(
          textPath: "t", plan: .bits(bits[1]), result: .synthetic(0.1), bytes: 1, bitsPerWeight: 1),
        of: "abc")
    }
    _ = try fixture.ask(damage)
    #expect(try store.lastSession(of: "abc")?.session.versions.last?.plan == .bits(5))
    #expect(try store.evaluations(of: "abc").contains { $0.plan == .bits(5) })
  }

  // MARK: Evaluations

  @Test func everyEvaluationIsKept() throws {
    var kept: [PlanEvaluation] = []
    for (place, bits) in [4, 5, 4].enumerated() {
      let evaluation = PlanEvaluation(
        textPath: "text \(place)", plan: .bits(bits), result: .synthetic(0.1 * Double(bits)),
        bytes: bits * 100, bitsPerWeight: Double(bits))
      kept.append(
        try store.record(
          evaluation, of: "abc", finished: Date(timeIntervalSince1970: Double(place))))
    }
    #expect(try fixture.open().evaluations(of: "abc") == kept)
    #expect(try store.evaluations(of: "another").isEmpty)
    #expect(try fixture.ask("SELECT count(*) FROM plan") == ["2"])
  }

  /// Paths with newlines, which Python's reader takes apart as we put them together.
  @Test func cellsOfCSVAreQuoted() throws {
    let paths = ["a\nb", "a\r\nb", "a\rb", "a,\"b\"", "plain"]
    let csv = EvaluationTable.csv(
      paths.map {
        PlanEvaluation(
          textPath: $0, plan: .bits(4), result: .synthetic(0.1), bytes: 1, bitsPerWeight: 1)
      })
    let script = """
      import csv, io, sys
      for row in csv.DictReader(io.StringIO(sys.argv[1], newline="")): print(ascii(row["text"]))
      """
    #expect(
      try Fixture.python(script, [csv]) == [
        "'a\\nb'", "'a\\r\\nb'", "'a\\rb'", "'a,\"b\"'", "'plain'",
      ])
  }

  /// A plan that ruins the model has figures that are no numbers in JSON.
  @Test func infiniteFiguresAreKept() throws {
    let result = EvaluationSummary.synthetic(.infinity)
    let evaluation = PlanEvaluation(
      textPath: "t", plan: .bits(2), result: result, bytes: 1, bitsPerWeight: 1)
    _ = try store.record(evaluation, of: "abc")
    #expect(try store.evaluations(of: "abc").first?.result == result)
  }
}
