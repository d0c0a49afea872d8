import Allocation
import Compression
import Engine
import Foundation
import Inference
import Sessions
import Terminal
import TestSupport
import Testing

@testable import Workbench

/// A figure belongs to its plan, and every evaluation stays.
@Suite struct HistoryTests {
  @Test func textsAreLinksThatNothingElseTakesOver() {
    var app = App()
    app.state.directory = "/home/me"
    app.evaluate(
      "texts/some.txt", EvaluationSummary(tokens: 9, windows: 1, referencePPL: Estimate(7)))
    app.press("F5")
    let links = app.frame.links
    #expect(links.map(\.address) == ["file:///home/me/texts/some.txt"])
    for link in links {
      let cells = link.columns.map { app.frame[link.row, $0].glyph }
      #expect(String(cells) == "some.txt")
    }
    app.press("?")
    app.resize(104, 30)
    #expect(app.frame.links.isEmpty)
  }

  /// A workbench in which three plans were measured.
  private func measured(_ columns: Int = 120, _ rows: Int = 36) -> App {
    var app = App(columns: columns, rows: rows)
    for (bits, kld) in [("8", 0.001), ("4", 0.031), ("3", 0.12)] {
      if app.state.table.marks.isEmpty { app.press("a") }
      app.press(bits)
      app.evaluate("texts/wiki.txt", .measured(kld))
      for (place, entry) in app.state.evaluations.all.enumerated()
      where entry.evaluation.finished == nil {
        var kept = entry.evaluation
        kept.finished = Date(timeIntervalSince1970: 1_796_000_000 + Double(place) * 3600)
        app.handle(.file(.evaluationKept(fingerprint: "abc", kept)))
      }
    }
    app.state.notice = nil
    return app
  }

  // MARK: A figure belongs to its plan

  @Test func undoShowsTheFiguresOfThatPlan() {
    var app = measured()
    #expect(app.row("KLD 0.120") != "")
    app.press("u")
    #expect(app.row("KLD 0.0310") != "" && !app.screen.contains("another plan"))
    app.press("u")
    #expect(app.row("KLD 0.00100") != "")
    app.press("u")
    #expect(app.state.evaluations.current == nil)
    app.press("ctrl-r", "ctrl-r")
    #expect(app.row("KLD 0.0310") != "")
  }

  /// The same schemes by other rules are the same model.
  @Test func aPlanThatComesToTheSameHasTheSameFigures() {
    var app = measured()
    let same = Plan(
      rules: ["*.q_proj", "*"].map { PlanRule(layers: [$0], change: SchemeChange(bits: 4)) })
    app.handle(.file(.planRead(path: "same.yaml", same)))
    #expect(app.state.history.current != app.state.evaluations.all[1].evaluation.plan)
    #expect(app.row("KLD 0.0310") != "")
  }

  @Test func theOverlayAndReportsHaveTheCurrentPlansFigures() {
    var app = measured()
    app.press("u", "E")
    #expect(app.row("KLD mean", "0.0310") != "" && !app.screen.contains("another plan"))
    app.press("Esc")
    #expect(app.state.currentSnapshot?.measured?.result == .measured(0.031))
  }

  @Test func predictedAndMeasuredAreNeverSubtracted() {
    var app = measured()
    app.command("snapshot three")
    app.press("6")
    app.send(.predicted(.init(mean: 0.02, low: 0.01, high: 0.03)))
    app.press("F4", "j")
    #expect(app.row("three") != "")
    let summary = app.row("\(app.state.glyphs.arrow)", "three")
    #expect(!summary.contains("KLD"), "\(summary)")
    // Two of one kind are.
    app.command("snapshot six")
    app.press("Esc", "5")
    app.send(.predicted(.init(mean: 0.03, low: 0.01, high: 0.05)))
    app.press("F4", "End", "j", "j")
    #expect(app.row("\(app.state.glyphs.arrow)", "six").contains("KLD ~-0.0100 predicted"))
  }

  // MARK: The screen

  @Test(arguments: [(80, 24), (120, 36), (200, 50)])
  func screens(columns: Int, rows: Int) throws {
    var app = measured(columns, rows)
    app.command("snapshot three")
    app.press("u", "F5", "j")
    app.state.notice = nil
    try expectGolden(app.screen, "history-\(columns)x\(rows)")
  }

  @Test func nothingIsThereBeforeSomethingIsMeasured() {
    var app = App()
    app.press("F5")
    #expect(app.screen.contains("measures the plan on a text"))
    app.press("Enter")
    #expect(app.state.notice?.text.hasPrefix("Nothing is evaluated yet") == true)
    app.press("j", "k", "PgDn", "Tab", "Esc")
    #expect(app.state.screen == .layers)
  }

  @Test func restoringIsOneUndoableChange() {
    var app = measured()
    app.press("F5", "j", "Enter")
    #expect(app.scheme("0.self_attn.q_proj")?.quantization?.bits == 4)
    #expect(app.state.evaluations.current?.result == .measured(0.031))
    app.press("u")
    #expect(app.scheme("0.self_attn.q_proj")?.quantization?.bits == 3)
  }

  @Test func theMouseSelectsAndScrolls() {
    var app = measured()
    app.press("F5")
    app.click(on: "0.00100")
    #expect(app.state.evaluations.cursor == 2)
    app.click(on: "restore")
    #expect(app.scheme("0.self_attn.q_proj")?.quantization?.bits == 8)
    app.press("u")
    app.wheel(.wheelDown, over: "History")
    #expect(app.state.evaluations.scroll > 0)
  }

  @Test func theListIsWrittenAsCSV() throws {
    var app = measured()
    app.clearEffects()
    app.command("history csv figures.csv")
    let texts = app.effects.compactMap {
      if case .writeText(let text, "figures.csv") = $0 { text } else { nil }
    }
    let lines = try #require(texts.first).split(separator: "\r\n")
    #expect(lines.count == 4)
    #expect(lines[0].hasPrefix("finished,plan_id,text,tokens,windows,bytes,bits_per_weight,"))
    #expect(lines[2].contains("texts/wiki.txt,512,4,") && lines[2].contains(",0.031,"))
    app.command("history figures.csv")
    #expect(app.state.line?.flaw?.contains("csv PATH") == true)
  }

  @Test func aFileThatIsThereStays() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("mine".utf8, to: "figures.csv")
    let heard = HeardEvents()
    let files = FileWorker { heard.add($0) }
    files.carryOut(.writeText("theirs", path: path))
    files.carryOut(.writeText("theirs", path: "\(folder.path)/new.csv"))
    files.finish()
    #expect(try folder.bytes(of: "figures.csv") == Array("mine".utf8))
    #expect(try folder.bytes(of: "new.csv") == Array("theirs".utf8))
    #expect(
      heard.events == [
        .textUnwritable(path: path, reason: "there is a file \(path), which stays as it is"),
        .textWritten(path: "\(folder.path)/new.csv"),
      ])
  }

  // MARK: Across sessions

  @Test func earlierSessionsEvaluationsAreThere() throws {
    let folder = try TemporaryFolder()
    do {
      var session = KeptSession(in: folder.path)
      session.act { app in
        app.press("a", "4")
        app.evaluate("wiki.txt", .measured(0.031))
      }
      #expect(session.app.state.evaluations.all[0].evaluation.finished != nil)
    }
    var session = KeptSession(in: folder.path, choice: .fresh)
    #expect(session.app.state.evaluations.all.count == 1)
    #expect(session.app.state.evaluations.current == nil)
    session.act { $0.press("F5", "Enter") }
    #expect(session.app.row("KLD 0.0310") != "")
    session.act { $0.press("u", "F2", "a", "4") }
    #expect(session.app.state.evaluations.current?.result == .measured(0.031))
  }
}
