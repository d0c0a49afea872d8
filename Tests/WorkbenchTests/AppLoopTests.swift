import Compression
import Engine
import Foundation
import Testing

@testable import Workbench

@Suite struct FileWorkerTests {
  private let directory = FileManager.default.temporaryDirectory
    .appending(path: "vise-\(UUID().uuidString)")

  private let plan = Plan(rules: [PlanRule(layers: ["*"], change: SchemeChange(bits: 4))])

  private func inDirectory(_ body: (String) throws -> Void) throws {
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    try body(directory.path)
  }

  @Test func writesAndReadsBack() throws {
    try inDirectory { path in
      let file = "\(path)/a.yaml"
      #expect(
        PlanStore().write(plan, to: file, overwrites: .nothing) == .planWritten(path: file, plan))
      #expect(PlanStore().read(file) == .planRead(path: file, plan))
      #expect(FileWorker.list("\(path)/") == .listed(directory: "\(path)/", names: ["a.yaml"]))
    }
  }

  @Test func leavesAFileThatItWasNotToldToOverwrite() throws {
    try inDirectory { path in
      let file = "\(path)/a.yaml"
      try "mine".write(toFile: file, atomically: true, encoding: .utf8)
      #expect(PlanStore().write(plan, to: file, overwrites: .nothing) == .planExists(path: file))
      #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine")
      #expect(
        PlanStore().write(plan, to: file, overwrites: .anything) == .planWritten(path: file, plan))
    }
  }

  @Test func leavesAFileThatSomebodyElseHasChanged() throws {
    try inDirectory { path in
      let (file, store) = ("\(path)/a.yaml", PlanStore())
      #expect(store.write(plan, to: file, overwrites: .nothing) == .planWritten(path: file, plan))
      let other = Plan(rules: [PlanRule(layers: ["*"], change: SchemeChange(bits: 5))])
      #expect(
        store.write(other, to: file, overwrites: .whatIsKnown(plan))
          == .planWritten(path: file, other))
      try "# mine\n\(plan.yaml())".write(toFile: file, atomically: true, encoding: .utf8)
      #expect(
        store.write(other, to: file, overwrites: .whatIsKnown(plan)) == .planChanged(path: file))
      #expect(try String(contentsOfFile: file, encoding: .utf8).hasPrefix("# mine"))
      #expect(store.read(file) == .planRead(path: file, plan))
      #expect(
        store.write(other, to: file, overwrites: .whatIsKnown(plan))
          == .planWritten(path: file, other))
      // A file that was removed holds nothing that could be lost.
      try FileManager.default.removeItem(atPath: file)
      #expect(
        store.write(plan, to: file, overwrites: .whatIsKnown(plan))
          == .planWritten(path: file, plan))
    }
  }

  /// What an earlier session wrote is known by the plan that it left in the file.
  @Test func aFileOfAnEarlierSessionIsKnownByItsPlan() throws {
    try inDirectory { path in
      let file = "\(path)/a.yaml"
      var withTarget = plan
      withTarget.target = "llama.cpp"
      #expect(
        PlanStore().write(withTarget, to: file, overwrites: .nothing)
          == .planWritten(path: file, withTarget))
      let other = Plan(rules: [PlanRule(layers: ["*"], change: SchemeChange(bits: 5))])
      #expect(
        PlanStore().write(other, to: file, overwrites: .whatIsKnown(other))
          == .planChanged(path: file))
      #expect(
        PlanStore().write(other, to: file, overwrites: .whatIsKnown(plan))
          == .planWritten(path: file, other))
      try "no plan".write(toFile: file, atomically: true, encoding: .utf8)
      #expect(
        PlanStore().write(other, to: file, overwrites: .whatIsKnown(other))
          == .planChanged(path: file))
    }
  }

  @Test func saysWhyItCannotWriteOrRead() throws {
    try inDirectory { path in
      guard
        case .planUnwritable(_, let reason) = PlanStore().write(
          plan, to: "\(path)/no/a.yaml", overwrites: .nothing)
      else {
        Issue.record("wrote into a directory that is not there")
        return
      }
      #expect(reason.contains("no/a.yaml"))
      try "rules: 3\n".write(toFile: "\(path)/bad.yaml", atomically: true, encoding: .utf8)
      guard case .planUnreadable(_, let flaw) = PlanStore().read("\(path)/bad.yaml"),
        case .planUnreadable(_, let missing) = PlanStore().read("\(path)/none.yaml")
      else {
        Issue.record("read what is no plan")
        return
      }
      #expect(flaw.contains("bad.yaml: "))
      #expect(missing.contains("No such file"))
      #expect(FileWorker.list("\(path)/none/") == .listed(directory: "\(path)/none/", names: []))
    }
  }
}

@Suite struct EffectTests {
  @Test func onlyTheLastPlanOfABatchReachesTheEngine() {
    let plans = (2...4).map { bits in
      Effect.engine(
        .setPlan(Plan(rules: [PlanRule(layers: ["*"], change: SchemeChange(bits: bits))])))
    }
    let look = Effect.engine(.look(at: ["a"]))
    #expect((plans + [look]).withoutStale() == [plans[2], look])
    #expect([look, look, .redraw].withoutStale() == [look, .redraw])
  }

  @Test func aPlanThatIsTalkedToInBetweenStays() {
    let first = Effect.engine(.setPlan(Plan()))
    let second = Effect.engine(.setPlan(Plan(model: "other")))
    let ask = Effect.engine(.generate(JobID(1), GenerationRequest(prompt: "x")))
    #expect([first, ask, second].withoutStale() == [first, ask, second])
  }
}
