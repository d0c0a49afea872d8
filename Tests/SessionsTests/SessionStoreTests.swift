import Compression
import Foundation
import GRDB
import Sessions
import TestSupport
import Testing

@Suite struct SessionStoreTests {
  private let fixture: Fixture

  init() throws { fixture = try Fixture() }

  private func permissions(_ path: String) throws -> Int? {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
  }

  @Test func onlyTheUserCanReadIt() throws {
    let store = try fixture.open()
    try store.note(.synthetic())
    #expect(try permissions(fixture.directory) == 0o700)
    let names = try FileManager.default.contentsOfDirectory(atPath: fixture.directory)
    #expect(names.count > 1, "a database in WAL mode has files beside it")
    for name in names {
      #expect(try permissions("\(fixture.directory)/\(name)") == 0o600, "\(name)")
    }
  }

  @Test func settingsHoldForEveryModel() throws {
    try fixture.open().set("theme", to: "light")
    #expect(try fixture.open().setting("theme") == "light")
    #expect(try fixture.open().setting("other") == nil)
  }

  // MARK: What is no database of ours

  @Test(arguments: [
    "no database at all, but long enough that SQLite looks at it: "
      + String(repeating: "x", count: 4096),
    "short",
  ])
  func damageIsSaidAndLeftAlone(contents: String) throws {
    try fixture.folder.makeDirectory("vise")
    try fixture.folder.write(contents.utf8, to: "vise/sessions.sqlite")
    let error = #expect(throws: SessionError.self) { try fixture.open() }
    #expect(error?.path == fixture.database && error?.reason == "is damaged")
    #expect(try fixture.folder.bytes(of: "vise/sessions.sqlite") == Array(contents.utf8))
  }

  /// Damage in the midst of a file is met before anything is written.
  @Test func damagedPagesAreFound() throws {
    do {
      let store = try fixture.open()
      try store.note(.synthetic())
      var writer = SessionWriter(try store.beginSession(), with: nil, of: "abc", in: store)
      try writer.write(
        .of(bits: [8, 4], documents: ["window": String(repeating: "w", count: 50_000)]))
    }
    var bytes = try fixture.folder.bytes(of: "vise/sessions.sqlite")
    for place in stride(from: 4096 * 3, to: bytes.count, by: 97) { bytes[place] ^= 0x5A }
    try fixture.folder.write(bytes, to: "vise/sessions.sqlite")
    #expect(throws: SessionError(path: fixture.database, reason: "is damaged")) {
      try fixture.open()
    }
    #expect(try fixture.folder.bytes(of: "vise/sessions.sqlite") == bytes)
  }

  @Test func aLaterVersionIsLeftAlone() throws {
    do { _ = try fixture.open() }
    _ = try fixture.ask("INSERT INTO grdb_migrations VALUES ('99')")
    let before = try fixture.folder.bytes(of: "vise/sessions.sqlite")
    let error = #expect(throws: SessionError.self) { try fixture.open() }
    #expect(error?.reason == "was written by a later version of Vise")
    #expect(try fixture.folder.bytes(of: "vise/sessions.sqlite") == before)
  }

  @Test func anotherProgramsDatabaseIsLeftAlone() throws {
    try fixture.folder.makeDirectory("vise")
    _ = try fixture.ask("CREATE TABLE model (a)")
    let error = #expect(throws: SessionError.self) { try fixture.open() }
    #expect(error?.reason == "is not a database of Vise's")
    #expect(try fixture.ask("SELECT name FROM sqlite_master") == ["model"])
  }

  @Test func anEmptyFileBecomesADatabase() throws {
    try fixture.folder.makeDirectory("vise")
    try fixture.folder.write([], to: "vise/sessions.sqlite")
    try fixture.open().note(.synthetic())
    #expect(try fixture.open().recentModels().count == 1)
  }

  @Test func aDirectoryThatCannotBeMadeIsNamed() throws {
    try fixture.folder.write("a file".utf8, to: "vise")
    let error = #expect(throws: SessionError.self) { try fixture.open() }
    #expect(error?.path.hasPrefix(fixture.directory) == true)
  }

  // MARK: Several at a time

  /// Two programs that begin at once: the tables are made once, and neither fails.
  @Test func manyBeginAtOnce() async throws {
    let directory = fixture.directory
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<8 {
        group.addTask { try SessionStore(directory: directory).note(.synthetic("m\(number)")) }
      }
      try await group.waitForAll()
    }
    #expect(try fixture.open().recentModels().count == 8)
  }

  /// While another process holds the database for writing, reading goes on and writing waits.
  @Test func anotherProcessIsWaitedFor() async throws {
    let store = try fixture.open()
    try store.note(.synthetic())
    let (database, folder) = (fixture.database, fixture.folder.path)
    let other = Task.detached {
      try Fixture.python(
        """
        import sqlite3, sys, time, pathlib
        db = sqlite3.connect(sys.argv[1], isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        db.execute("UPDATE model SET name = 'theirs'")
        pathlib.Path(sys.argv[2], "holds").touch()
        for _ in range(3000):
            if pathlib.Path(sys.argv[2], "release").exists(): break
            time.sleep(0.01)
        time.sleep(0.3)
        db.execute("COMMIT")
        """, [database, folder])
    }
    while !FileManager.default.fileExists(atPath: "\(folder)/holds") {
      try await Task.sleep(for: .milliseconds(5))
    }
    #expect(try store.recentModels().first?.model.name == "Model abc")
    try Data().write(to: URL(filePath: "\(folder)/release"))
    try store.set("theme", to: "light")
    _ = try await other.value
    #expect(try store.recentModels().first?.model.name == "theirs")
  }
}
