import Allocation
import Compression
import Engine
import Foundation
import Inference
import Sessions
import TestSupport
import Testing

@testable import Workbench

/// Snapshots outlive the session that took them.
@Suite struct SnapshotKeepingTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open() -> KeptSession { KeptSession(in: folder.path, choice: .fresh) }

  @Test func everythingKnownComesBack() throws {
    var session = open()
    session.act { app in
      app.press("a", "4")
      app.command("snapshot four")
      app.send(.predicted(PredictedDivergence(mean: 0.04, low: 0.03, high: 0.06)))
      app.evaluate("wiki.txt", .measured(0.031))
      app.answer("Hello", with: ["So", " it", " is"])
    }
    let kept = session.app.state.snapshots.all
    #expect(kept.first?.measured?.text.hasSuffix("wiki.txt") == true)
    #expect(kept.first?.answer?.text == "So it is" && kept.first?.predicted != nil)
    var again = open()
    #expect(again.app.state.snapshots.all == kept)
    again.app.press("F4")
    #expect(again.app.row("four", "0.0310") != "")
  }

  @Test func deletingIsKeptToo() throws {
    var session = open()
    session.act { app in
      app.press("a", "4")
      app.command("snapshot one")
      app.press("5")
      app.command("snapshot two")
    }
    session.act { $0.command("delete one") }
    #expect(open().snapshotNames == ["two"])
    session.act { $0.command("delete two") }
    #expect(open().snapshotNames.isEmpty)
  }

  /// Two workbenches on one model: what either takes, renames or removes is there for both.
  @Test func twoWorkbenchesLoseNothingOfEachOther() {
    func take(_ name: String, bits: String) -> (inout App) -> Void {
      { app in
        if app.state.table.marks.isEmpty { app.press("a") }
        app.press(bits)
        app.command("snapshot \(name)")
      }
    }
    var (first, second, third) = (open(), open(), open())
    first.act(take("four", bits: "4"))
    second.act(take("five", bits: "5"))
    #expect(second.snapshotNames == ["four", "five"])
    first.act(take("three", bits: "3"))
    #expect(Set(first.snapshotNames) == ["three", "four", "five"])
    second.act { $0.command("delete four") }
    #expect(Set(open().snapshotNames) == ["three", "five"])
    // Another plan under a name that the other has taken meanwhile keeps both.
    third.act(take("three", bits: "6"))
    #expect(Set(open().snapshotNames) == ["three", "three-2", "five"])
    #expect(Set(third.snapshotNames) == ["three", "three-2", "five"])
  }

  @Test func damagedFilesOfEarlierVersionsAreNamedAndLeft() throws {
    try folder.makeDirectory("snapshots")
    let file = try folder.write("{".utf8, to: "snapshots/abc.json")
    var session = KeptSession(in: folder.path)
    #expect(session.app.state.notice?.kind == .warning)
    #expect(session.app.state.notice?.text.contains(file) == true)
    session.act { app in
      app.press("a", "4")
      app.command("snapshot four")
    }
    #expect(open().snapshotNames == ["four"])
    #expect(try folder.bytes(of: "snapshots/abc.json") == Array("{".utf8))
  }

  @Test func otherModelsHaveTheirOwn() {
    var app = App()
    app.handle(.file(.snapshotsRead(fingerprint: "another", [])))
    #expect(app.state.snapshots.saved == nil)
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
