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

  /// A workbench with what it knows of the files.
  private struct Session {
    var app = App()
    let store: SnapshotStore

    /// Does what the app asks for about snapshots; returns how often it asked for writing.
    mutating func carryOut() -> Int {
      var count = 0
      for case .writeSnapshots(let snapshots, let model, let fingerprint) in app.effects {
        count += 1
        let event = store.save(snapshots, model: model, fingerprint: fingerprint)
        if let event { app.handle(.file(event)) }
      }
      app.clearEffects()
      return count
    }

    var names: [String] { app.state.snapshots.all.map(\.name) }
  }

  /// A workbench that has read what is saved.
  private func open(older: String? = nil) -> Session {
    var session = Session(store: SnapshotStore(directory: folder.path))
    session.app.handle(.file(session.store.read(of: "abc", older: older)))
    session.app.clearEffects()
    return session
  }

  private static let result = EvaluationSummary(
    tokens: 512, windows: 4, referencePPL: Estimate(12.5), compressedPPL: Estimate(13),
    divergence: .init(
      mean: Estimate(0.031), median: Estimate(0.01), p99: Estimate(0.4), max: Estimate(2)),
    windowDivergences: [0.03, 0.02, 0.04, 0.034])

  @Test func everythingKnownComesBack() throws {
    var session = open()
    session.app.press("a", "4")
    session.app.command("snapshot four")
    session.app.send(.predicted(PredictedDivergence(mean: 0.04, low: 0.03, high: 0.06)))
    session.app.press("x")
    session.app.type("wiki.txt")
    session.app.press("Enter")
    session.app.send(.evaluated(JobID(1), Self.result))
    session.app.send(.jobEnded(JobID(1), .finished))
    session.app.press("p")
    session.app.type("Hello")
    session.app.press("Enter")
    for (index, word) in ["So", " it", " is"].enumerated() {
      session.app.send(
        .token(
          JobID(2),
          GeneratedToken(
            side: .compressed, index: index, id: index, text: word, tokensPerSecond: 41)))
    }
    session.app.send(.answerEnded(JobID(2), .compressed, .endOfText))
    #expect(session.carryOut() > 1)
    let kept = session.app.state.snapshots.all
    #expect(kept.first?.evaluation?.textPath.hasSuffix("wiki.txt") == true)
    #expect(kept.first?.answer?.text == "So it is" && kept.first?.predicted != nil)
    var again = open()
    #expect(again.app.state.snapshots.all == kept)
    again.app.press("F4")
    #expect(again.app.row("four", "0.0310") != "")
    // Nothing is new, so nothing is written.
    #expect(again.carryOut() == 0)
  }

  @Test func deletingTheLastRemovesTheFile() throws {
    var session = open()
    session.app.press("a", "4")
    session.app.command("snapshot one")
    session.app.press("5")
    session.app.command("snapshot two")
    #expect(session.carryOut() == 2)
    session.app.command("delete one")
    #expect(session.carryOut() == 1)
    #expect(open().app.state.snapshots.all.map(\.name) == ["two"])
    session.app.command("delete two")
    #expect(session.carryOut() == 1)
    #expect(!FileManager.default.fileExists(atPath: file))
    #expect(try folder.names.isEmpty)
  }

  @Test(arguments: [
    "", "{", "{\"vise\": 2}", "{\"vise\":1,\"model\":\"m\",\"fingerprint\":\"abc\"}",
  ])
  func damagedFilesAreLeftAlone(contents: String) throws {
    try folder.write(contents.utf8, to: "abc.json")
    var session = open()
    #expect(session.app.state.notice?.kind == .warning)
    #expect(session.app.state.notice?.text.contains(file) == true)
    session.app.press("a", "4")
    #expect(session.app.state.notice?.kind != .warning)
    session.app.command("snapshot four")
    #expect(session.carryOut() == 0)
    #expect(try String(contentsOfFile: file, encoding: .utf8) == contents)
  }

  @Test func badPlansAndLaterVersionsAreNamed() throws {
    var session = open()
    session.app.press("a", "4")
    session.app.command("snapshot four")
    #expect(session.carryOut() == 1)
    let good = try String(contentsOfFile: file, encoding: .utf8)
    for (old, new, says) in [
      ("\"vise\" : 1", "\"vise\" : 9", "is of version 9"), ("bits: 4", "bits: 40", "plan"),
    ] {
      let bad = good.replacing(old, with: new)
      #expect(bad != good)
      try folder.write(bad.utf8, to: "abc.json")
      #expect(open().app.state.notice?.text.contains(says) == true, "\(says)")
    }
  }

  /// A snapshot that is taken before the file has been read is added to what is in it.
  @Test func whatIsTakenMeanwhileIsAdded() throws {
    var first = open()
    first.app.press("a", "4")
    first.app.command("snapshot four")
    _ = first.carryOut()
    var session = Session(store: SnapshotStore(directory: folder.path))
    session.app.press("a", "5")
    session.app.command("snapshot five")
    #expect(session.carryOut() == 0)
    session.app.handle(.file(session.store.read(of: "abc", older: nil)))
    #expect(session.app.state.snapshots.all.map(\.name) == ["four", "five"])
    #expect(session.carryOut() == 1)
    #expect(open().app.state.snapshots.all.map(\.name) == ["four", "five"])
  }

  /// Two workbenches on one model: what either takes, renames or removes is there for both.
  @Test func twoWorkbenchesLoseNothingOfEachOther() {
    var (first, second, third) = (open(), open(), open())
    first.app.press("a", "4")
    first.app.command("snapshot four")
    _ = first.carryOut()
    second.app.press("a", "5")
    second.app.command("snapshot five")
    _ = second.carryOut()
    #expect(second.names == ["four", "five"])
    first.app.press("3")
    first.app.command("snapshot three")
    _ = first.carryOut()
    #expect(Set(first.names) == ["three", "four", "five"])
    second.app.command("delete four")
    _ = second.carryOut()
    #expect(Set(open().names) == ["three", "five"])
    // Another plan under a name that the other has taken meanwhile keeps both.
    third.app.press("a", "6")
    third.app.command("snapshot three")
    _ = third.carryOut()
    #expect(Set(open().names) == ["three", "three-2", "five"])
    #expect(Set(third.names) == ["three", "three-2", "five"])
  }

  /// Writing while the file is damaged leaves it, and says so.
  @Test func damageMeanwhileIsLeftAlone() throws {
    var session = open()
    session.app.press("a", "4")
    session.app.command("snapshot four")
    #expect(session.carryOut() == 1)
    try folder.write("{".utf8, to: "abc.json")
    session.app.command("snapshot again")
    #expect(session.carryOut() == 1)
    #expect(session.app.state.notice?.text.contains("cannot save snapshots") == true)
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "{")
  }

  /// What an earlier version saved under the headers' fingerprint is read with a note, and saved under the new one.
  @Test func olderFilesAreReadWithANote() throws {
    var session = open()
    session.app.press("a", "4")
    session.app.command("snapshot four")
    _ = session.carryOut()
    try FileManager.default.moveItem(atPath: file, toPath: "\(folder.path)/headers.json")
    var later = open(older: "headers")
    #expect(later.names == ["four"])
    #expect(later.app.state.notice?.text.contains("earlier version") == true)
    later.app.press("5")
    later.app.command("snapshot five")
    #expect(later.carryOut() == 1)
    #expect(open().names == ["four", "five"])
    #expect(try folder.names == ["abc.json", "headers.json"])
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
    var session = open()
    session.app.command("snapshot one")
    for effect in session.app.effects { files.carryOut(effect) }
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
