import Compression
import Foundation
import Inference
import Sessions
import TestSupport
import Testing

/// Snapshots outlive the session that took them, and the files that earlier versions kept them in.
@Suite struct SnapshotStoreTests {
  private let fixture: Fixture
  private let store: SessionStore

  init() throws {
    fixture = try Fixture()
    store = try fixture.open()
    try store.note(.synthetic())
  }

  private func snapshot(_ name: String, bits: Int = 4, mean: Double? = nil) -> Snapshot {
    Snapshot(
      name: name, plan: .bits(bits), schemes: ["a": .keep], bytes: 100, bitsPerWeight: 4.5,
      measured: mean.map { .init(text: "t", result: .synthetic($0)) },
      answer: SnapshotAnswer(prompt: "Hello", text: "So", tokensPerSecond: 3))
  }

  private func saved() throws -> [Snapshot] { try store.snapshots(of: "abc", older: nil).all }

  /// A file as versions without a database wrote it.
  private func writeFile(_ name: String, _ names: [String], bits: Int = 4) throws {
    try fixture.folder.makeDirectory("vise/snapshots")
    let plan = Plan.bits(bits).yaml().replacing("\n", with: "\\n").replacing("\"", with: "\\\"")
    let snapshots = names.map {
      """
      {"name":"\($0)","plan":"\(plan)","schemes":{},"bytes":7,"bitsPerWeight":2.5}
      """
    }
    let json = """
      {"vise":1,"model":"m","fingerprint":"\(name)","snapshots":[\(snapshots.joined(separator: ","))]}
      """
    try fixture.folder.write(json.utf8, to: "vise/snapshots/\(name).json")
  }

  @Test func everythingKnownComesBack() throws {
    let all = [snapshot("one", mean: 0.031), snapshot("two", bits: 5), snapshot("a \"name\"")]
    #expect(try store.save(all, of: "abc", since: []) == all)
    #expect(try fixture.open().snapshots(of: "abc", older: nil).all == all)
    #expect(try store.snapshots(of: "another", older: nil).all.isEmpty)
  }

  @Test func twoProgramsLoseNothingOfEachOther() throws {
    let base = [snapshot("both")]
    _ = try store.save(base, of: "abc", since: [])
    let other = try fixture.open()
    #expect(
      try store.save(base + [snapshot("mine", bits: 5)], of: "abc", since: base).map(\.name)
        == ["both", "mine"])
    // The other has not read what was saved just now, takes one of the same name, and removes one.
    let merged = try other.save([snapshot("mine", bits: 6)], of: "abc", since: base)
    #expect(merged.map(\.name) == ["mine", "mine-2"])
    #expect(try saved() == merged)
  }

  @Test func filesOfEarlierVersionsAreBroughtInOnce() throws {
    try writeFile("abc", ["old", "older"])
    let found = try store.snapshots(of: "abc", older: "headers")
    #expect(found.all.map(\.name) == ["old", "older"] && !found.hasOlder && found.flaw == nil)
    // What is deleted stays deleted although the file is still there.
    _ = try store.save([found.all[0]], of: "abc", since: found.all)
    #expect(try saved().map(\.name) == ["old"])
    let path = "\(fixture.directory)/snapshots/abc.json"
    #expect(FileManager.default.fileExists(atPath: path))
    // An earlier version that is used again adds to its file.
    try writeFile("abc", ["old", "new"], bits: 6)
    #expect(try saved().map(\.name) == ["old", "old-2", "new"])
    #expect(try saved().map(\.name) == ["old", "old-2", "new"])
  }

  @Test func filesUnderTheHeadersFingerprintAreReadWithANote() throws {
    try writeFile("headers", ["old"])
    #expect(try store.snapshots(of: "abc", older: "headers").hasOlder)
    let again = try store.snapshots(of: "abc", older: "headers")
    #expect(again.all.map(\.name) == ["old"] && !again.hasOlder)
  }

  @Test(arguments: [
    ("", "is damaged"), ("{", "is damaged"), ("{\"vise\":1}", "is damaged"),
    ("{\"vise\":9,\"snapshots\":[]}", "is of version 9, and 1 is what is read"),
    (
      "{\"vise\":1,\"snapshots\":[{\"name\":\"a\",\"plan\":\"bits: 4\",\"schemes\":{},\"bytes\":1,\"bitsPerWeight\":1}]}",
      "holds a plan that cannot be read"
    ),
  ])
  func damagedFilesAreLeftAlone(contents: String, reason: String) throws {
    try fixture.folder.makeDirectory("vise/snapshots")
    try fixture.folder.write(contents.utf8, to: "vise/snapshots/abc.json")
    _ = try store.save([snapshot("one")], of: "abc", since: [])
    let found = try store.snapshots(of: "abc", older: nil)
    #expect(found.flaw?.path.hasSuffix("snapshots/abc.json") == true)
    #expect(found.flaw?.reason.hasPrefix(reason) == true, "\(found.flaw?.reason ?? "")")
    #expect(found.all.map(\.name) == ["one"])
    #expect(try fixture.folder.bytes(of: "vise/snapshots/abc.json") == Array(contents.utf8))
  }
}
