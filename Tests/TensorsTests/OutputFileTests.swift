import FoundationEssentials
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

  @Test func aFolderThatIsNotThereIsAnError() {
    let error = #expect(throws: StorageError.self) {
      let file = try OutputFile(path: "/nowhere/a")
      try file.write([1])
    }
    #expect(error?.path == "/nowhere/a")
  }
}
