import Allocation
import Compression
import Engine
import Foundation
import Inference
import Synchronization
import TestSupport
import Testing

@testable import Workbench

/// Snapshots outlive the session that took them.
@Suite struct SnapshotFileTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private var file: String { "\(folder.path)/abc.json" }

  /// An app that has read what is saved.
  private func open() -> App {
    var app = App()
    app.handle(.file(FileWorker.readSnapshots(of: "abc", in: folder.path)))
    app.clearEffects()
    return app
  }

  /// Does what the app asks for about snapshots; returns how often it asked for writing.
  private func carryOut(_ app: inout App) -> Int {
    var count = 0
    for case .writeSnapshots(let snapshots, let model, let fingerprint) in app.effects {
      count += 1
      let contents = SnapshotFile(snapshots, model: model, fingerprint: fingerprint)
      let flaw = FileWorker.write(
        snapshots.isEmpty ? nil : contents, of: fingerprint, in: folder.path)
      if let flaw { app.handle(.file(flaw)) }
    }
    app.clearEffects()
    return count
  }

  private static let result = EvaluationSummary(
    tokens: 512, windows: 4, referencePPL: Estimate(12.5), compressedPPL: Estimate(13),
    divergence: .init(
      mean: Estimate(0.031), median: Estimate(0.01), p99: Estimate(0.4), max: Estimate(2)),
    windowDivergences: [0.03, 0.02, 0.04, 0.034])

  @Test func everythingKnownComesBack() throws {
    var app = open()
    app.press("a", "4")
    app.command("snapshot four")
    app.send(.predicted(PredictedDivergence(mean: 0.04, low: 0.03, high: 0.06)))
    app.press("x")
    app.type("wiki.txt")
    app.press("Enter")
    app.send(.evaluated(JobID(1), Self.result))
    app.send(.jobEnded(JobID(1), .finished))
    app.press("p")
    app.type("Hello")
    app.press("Enter")
    for (index, word) in ["So", " it", " is"].enumerated() {
      app.send(
        .token(
          JobID(2),
          GeneratedToken(
            side: .compressed, index: index, id: index, text: word, tokensPerSecond: 41)))
    }
    app.send(.answerEnded(JobID(2), .compressed, .endOfText))
    #expect(carryOut(&app) > 1)
    let kept = app.state.snapshots.all
    #expect(kept.first?.evaluation?.textPath.hasSuffix("wiki.txt") == true)
    #expect(kept.first?.answer?.text == "So it is" && kept.first?.predicted != nil)
    var again = open()
    #expect(again.state.snapshots.all == kept)
    again.press("F4")
    #expect(again.row("four", "0.0310") != "")
    // Nothing is new, so nothing is written.
    #expect(carryOut(&again) == 0)
  }

  @Test func deletingTheLastRemovesTheFile() throws {
    var app = open()
    app.press("a", "4")
    app.command("snapshot one")
    app.press("5")
    app.command("snapshot two")
    #expect(carryOut(&app) == 2)
    app.command("delete one")
    #expect(carryOut(&app) == 1)
    #expect(open().state.snapshots.all.map(\.name) == ["two"])
    app.command("delete two")
    #expect(carryOut(&app) == 1)
    #expect(!FileManager.default.fileExists(atPath: file))
    #expect(try folder.names.isEmpty)
  }

  @Test(arguments: [
    "", "{", "{\"vise\": 2}", "{\"vise\":1,\"model\":\"m\",\"fingerprint\":\"abc\"}",
  ])
  func damagedFilesAreLeftAlone(contents: String) throws {
    try folder.write(contents.utf8, to: "abc.json")
    var app = open()
    #expect(app.state.notice?.kind == .warning)
    #expect(app.state.notice?.text.contains(file) == true)
    app.press("a", "4")
    #expect(app.state.notice?.kind != .warning)
    app.command("snapshot four")
    #expect(carryOut(&app) == 0)
    #expect(try String(contentsOfFile: file, encoding: .utf8) == contents)
  }

  @Test func badPlansAndLaterVersionsAreNamed() throws {
    var app = open()
    app.press("a", "4")
    app.command("snapshot four")
    #expect(carryOut(&app) == 1)
    let good = try String(contentsOfFile: file, encoding: .utf8)
    for (old, new, says) in [
      ("\"vise\" : 1", "\"vise\" : 9", "is of version 9"), ("bits: 4", "bits: 40", "plan"),
    ] {
      let bad = good.replacing(old, with: new)
      #expect(bad != good)
      try folder.write(bad.utf8, to: "abc.json")
      #expect(open().state.notice?.text.contains(says) == true, "\(says)")
    }
  }

  /// A snapshot that is taken before the file has been read is added to what is in it.
  @Test func whatIsTakenMeanwhileIsAdded() throws {
    var first = open()
    first.press("a", "4")
    first.command("snapshot four")
    _ = carryOut(&first)
    var app = App()
    app.press("a", "5")
    app.command("snapshot five")
    #expect(carryOut(&app) == 0)
    app.handle(.file(FileWorker.readSnapshots(of: "abc", in: folder.path)))
    #expect(app.state.snapshots.all.map(\.name) == ["four", "five"])
    #expect(carryOut(&app) == 1)
    #expect(open().state.snapshots.all.map(\.name) == ["four", "five"])
  }

  @Test func otherModelsHaveTheirOwn() {
    var app = App()
    app.handle(.file(.snapshotsRead(fingerprint: "another", [])))
    #expect(app.state.snapshots.saved == nil)
  }

  @Test func whatCannotBeWrittenIsSaid() throws {
    try folder.write("no folder".utf8, to: "state")
    let heard = HeardEvents()
    let files = FileWorker(stateDirectory: "\(folder.path)/state") { heard.add($0) }
    var app = open()
    app.command("snapshot one")
    for effect in app.effects { files.carryOut(effect) }
    files.finish()
    guard case .snapshotsUnwritable(let reason)? = heard.events.first else {
      Issue.record("\(heard.events)")
      return
    }
    #expect(reason.contains("cannot save snapshots in"))
  }

  @Test func stateLiesWhereTheStandardSaysSo() {
    func directory(_ environment: [String: String]) -> String? {
      Surroundings(environment: environment, executableDirectory: nil).stateDirectory
    }
    #expect(directory(["HOME": "/me"]) == "/me/.local/state/vise")
    #expect(directory(["HOME": "/me", "XDG_STATE_HOME": "/state"]) == "/state/vise")
    #expect(directory(["HOME": "/me", "XDG_STATE_HOME": "relative"]) == "/me/.local/state/vise")
    #expect(directory([:]) == nil)
  }
}

/// Events from another thread.
private final class HeardEvents: Sendable {
  private let heard = Mutex<[FileEvent]>([])

  func add(_ event: FileEvent) { heard.withLock { $0.append(event) } }

  var events: [FileEvent] { heard.withLock { $0 } }
}
