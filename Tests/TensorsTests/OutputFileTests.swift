import FoundationEssentials
import Glibc
import Tensors
import Testing

struct OutputFileTests {
  private func withDirectory(_ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.path + "/vise-tests-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  private func content(of path: String) throws -> [UInt8] {
    try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
  }

  @Test func appearsWhenItIsComplete() throws {
    try withDirectory { directory in
      let path = "\(directory)/a"
      try Data([9]).write(to: URL(fileURLWithPath: path))
      let file = try OutputFile(path: path)
      try file.write([1, 2])
      try file.write([])
      try file.write([3])
      #expect(try content(of: path) == [9])
      try file.commit()
      #expect(try content(of: path) == [1, 2, 3])
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["a"])
    }
  }

  @Test func leavesNothingBehindUnlessCommitted() throws {
    try withDirectory { directory in
      do {
        let file = try OutputFile(path: "\(directory)/a")
        try file.write([1])
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [])
    }
  }

  @Test func linksAndPermissionsStay() throws {
    try withDirectory { directory in
      let files = FileManager.default
      try files.createDirectory(atPath: "\(directory)/real", withIntermediateDirectories: true)
      try Data([9]).write(to: URL(fileURLWithPath: "\(directory)/real/a"))
      try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(directory)/real/a")
      try files.createSymbolicLink(atPath: "\(directory)/b", withDestinationPath: "real/a")
      try files.createSymbolicLink(atPath: "\(directory)/c", withDestinationPath: "b")
      try files.createSymbolicLink(atPath: "\(directory)/new", withDestinationPath: "real/new")
      for name in ["c", "new"] { try OutputFile.write([1], to: "\(directory)/\(name)") }
      #expect(try files.destinationOfSymbolicLink(atPath: "\(directory)/c") == "b")
      #expect(try content(of: "\(directory)/real/a") == [1])
      #expect(try content(of: "\(directory)/real/new") == [1])
      let attributes = try files.attributesOfItem(atPath: "\(directory)/real/a")
      #expect(attributes[.posixPermissions] as? Int == 0o600)
      #expect(try files.contentsOfDirectory(atPath: "\(directory)/real").sorted() == ["a", "new"])
      try files.createSymbolicLink(atPath: "\(directory)/loop", withDestinationPath: "loop")
      #expect(throws: StorageError.self) { try OutputFile.write([1], to: "\(directory)/loop") }
      #expect(throws: StorageError.self) { try OutputFile.write([1], to: directory) }
    }
  }

  @Test func whatAKilledWriterLeftIsTakenOver() throws {
    try withDirectory { directory in
      try Data([7, 7, 7]).write(to: URL(fileURLWithPath: "\(directory)/a.vise.tmp"))
      try OutputFile.write([1], to: "\(directory)/a")
      #expect(try content(of: "\(directory)/a") == [1])
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["a"])
    }
  }

  @Test func twoWritersAreKeptApart() throws {
    try withDirectory { directory in
      let first = try OutputFile(path: "\(directory)/a")
      let error = #expect(throws: StorageError.self) {
        try OutputFile.write([1], to: "\(directory)/a")
      }
      #expect(error?.reason.contains("by another program") == true)
      try first.write([2])
      try first.commit()
      #expect(try content(of: "\(directory)/a") == [2])
    }
  }

  @Test func directoriesChangePlacesInOneStep() throws {
    try withDirectory { directory in
      for name in ["a", "b"] {
        try FileManager.default.createDirectory(
          atPath: "\(directory)/\(name)/in-\(name)", withIntermediateDirectories: true)
      }
      // Where the file system cannot do it, nothing changes.
      let isDone = try FileSystem.exchange("\(directory)/a", "\(directory)/b")
      #expect(try FileSystem.names(in: "\(directory)/a") == [isDone ? "in-b" : "in-a"])
      #expect(throws: StorageError.self) {
        try FileSystem.exchange("\(directory)/a", "\(directory)/none")
      }
    }
  }

  /// What is cut off while it is mapped reads as zeros and is known to; the process lives.
  @Test func mappedFilesMayBeCutOff() throws {
    try withDirectory { directory in
      let path = "\(directory)/a"
      let page = 1 << 16
      try Data(repeating: 3, count: 4 * page).write(to: URL(fileURLWithPath: path))
      let (storage, other) = (try ByteStorage(mapping: path), try ByteStorage(mapping: path))
      #expect(storage.bytes(in: 0..<page) == [UInt8](repeating: 3, count: page))
      #expect(storage.damage == nil && storage.change == nil)
      #expect(truncate(path, off_t(page)) == 0)
      #expect(storage.change?.reason.contains("has changed") == true)
      let pool = WorkerPool(threads: 4)
      let sums = pool.map(count: 8) { place in
        storage.bytes(in: place * page / 2..<(place + 1) * page / 2).reduce(0) { $0 + Int($1) }
      }
      #expect(sums == [3 * page / 2, 3 * page / 2] + [Int](repeating: 0, count: 6))
      #expect(storage.damage?.path == path)
      // Mappings that were not touched are not harmed, and those made later are none the worse.
      #expect(other.damage == nil)
      #expect(other.bytes(in: 0..<page) == storage.bytes(in: 0..<page))
      #expect(try ByteStorage(mapping: path).damage == nil)
    }
  }

  /// A file that takes the name of a mapped one leaves it as it is.
  @Test func mappedFilesMayBeReplaced() throws {
    try withDirectory { directory in
      let path = "\(directory)/a"
      try Data([1, 2]).write(to: URL(fileURLWithPath: path))
      let storage = try ByteStorage(mapping: path)
      try OutputFile.write([3, 4, 5], to: path)
      #expect(storage.bytes(in: 0..<2) == [1, 2])
      #expect(storage.damage == nil && storage.change == nil)
    }
  }

  @Test func aFolderThatIsNotThereIsAnError() {
    let error = #expect(throws: StorageError.self) {
      let file = try OutputFile(path: "/nowhere/a")
      try file.write([1])
    }
    #expect(error?.path == "/nowhere/a")
  }
}
