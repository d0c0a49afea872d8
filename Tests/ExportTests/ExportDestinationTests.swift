import Export
import Foundation
import TestSupport
import Testing

/// Where exports may go, and what they never touch.
@Suite struct ExportDestinationTests {
  private let folder: TemporaryFolder
  private let layout = ExportLayout(files: [FileLayout(name: "config.json", contents: [1, 2, 3])])

  init() throws { folder = try TemporaryFolder() }

  private func export(
    to path: String, as form: ExportForm = .directory, replaces: Bool = false
  ) -> String {
    do {
      try ExportWriter(layout, to: path, as: form, replaces: replaces, purpose: "").finish()
      return "done"
    } catch {
      return "\(error)"
    }
  }

  @Test func fileGoesToThePathItself() throws {
    #expect(export(to: "\(folder.path)/model.gguf", as: .file) == "done")
    #expect(try folder.bytes(of: "model.gguf") == [1, 2, 3])
    #expect(try folder.names == ["model.gguf"])
  }

  @Test func whatExistsIsReplacedOnlyIfAskedFor() throws {
    try folder.makeDirectory("out")
    try folder.write([9], to: "out/config.json")
    try folder.write([9], to: "out/old.bin")
    #expect(export(to: "\(folder.path)/out").contains("exists already"))
    #expect(try folder.contents(of: "out")?.count == 2)
    #expect(export(to: "\(folder.path)/out/", replaces: true) == "done")
    #expect(try folder.contents(of: "out") == ["config.json": [1, 2, 3]])
    try folder.write([9], to: "model.gguf")
    #expect(export(to: "\(folder.path)/model.gguf", as: .file).contains("exists already"))
    #expect(export(to: "\(folder.path)/model.gguf", as: .file, replaces: true) == "done")
    #expect(try folder.bytes(of: "model.gguf") == [1, 2, 3])
    #expect(try folder.names == ["model.gguf", "out"])
  }

  @Test func emptyDirectoryMayBeThere() throws {
    try folder.makeDirectory("out")
    #expect(export(to: "\(folder.path)/out") == "done")
    #expect(try folder.contents(of: "out")?.count == 1)
  }

  @Test func directoriesThatAreNoExportsStay() throws {
    try folder.makeDirectory("photos")
    try folder.write([9], to: "photos/cat.jpg")
    #expect(export(to: "\(folder.path)/photos", replaces: true).contains("no config.json"))
    try folder.makeDirectory("code/.git")
    try folder.write([9], to: "code/config.json")
    #expect(export(to: "\(folder.path)/code", replaces: true).contains(".git"))
    #expect(try folder.contents(of: "photos") == ["cat.jpg": [9]])
    #expect(try folder.contents(of: "code") == ["config.json": [9]])
  }

  @Test func pathsThatCannotBeMadeSayWhy() throws {
    try folder.write([9], to: "file")
    try folder.makeDirectory("directory")
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/link", withDestinationPath: "\(folder.path)/directory")
    #expect(export(to: "\(folder.path)/file").contains("is a file"))
    #expect(export(to: "\(folder.path)/file", replaces: true).contains("is a file"))
    #expect(export(to: "\(folder.path)/file/out").contains("make it first"))
    #expect(export(to: "\(folder.path)/none/out").contains("make it first"))
    #expect(export(to: "\(folder.path)/directory", as: .file).contains("is a directory"))
    #expect(export(to: "\(folder.path)/link", replaces: true).contains("neither"))
    #expect(export(to: "/proc/vise/out").contains("/proc/vise"))
    #expect(export(to: "/proc/out").contains("/proc/out"))
    for path in ["", "/", "//", ".", "..", "\(folder.path)/.."] {
      #expect(export(to: path, replaces: true).contains("names nothing"))
    }
    #expect(try folder.names == ["directory", "file", "link"])
  }

  @Test func linkToADirectoryMayHoldTheExport() throws {
    try folder.makeDirectory("disk")
    try FileManager.default.createSymbolicLink(
      atPath: "\(folder.path)/link", withDestinationPath: "\(folder.path)/disk")
    #expect(export(to: "\(folder.path)/link/out") == "done")
    #expect(try folder.contents(of: "disk/out") == ["config.json": [1, 2, 3]])
  }

  @Test func modelThatIsExportedIsSpared() throws {
    let model = try folder.makeDirectory("model")
    try folder.write([9], to: "model/config.json")
    for path in [model, "\(model)/", "\(folder.path)/./model"] {
      #expect(throws: ExportError.self) {
        try ExportWriter.check(path, as: .directory, replaces: true, spares: model)
      }
    }
    let file = try folder.write([9], to: "model.gguf")
    #expect(throws: ExportError.self) {
      try ExportWriter.check(file, as: .file, replaces: true, spares: file)
    }
    let parts = try (1...3).map { try folder.write([9], to: "m-0000\($0)-of-00003.gguf") }
    #expect(throws: ExportError.self) {
      try ExportWriter.check(parts[2], as: .file, replaces: true, spares: parts[0])
    }
    let other = try folder.write([9], to: "n-00001-of-00003.gguf")
    try ExportWriter.check(other, as: .file, replaces: true, spares: parts[0])
    try ExportWriter.check("\(folder.path)/modelx", as: .directory, replaces: true, spares: model)
    #expect(throws: ExportError.self) {
      try ExportWriter.check("\(model)/config.json", as: .file, replaces: true, spares: model)
    }
    try folder.write([9], to: "model/other.gguf")
    try ExportWriter.check("\(model)/other.gguf", as: .file, replaces: true, spares: model)
  }

  @Test func tooSmallADiskIsSeenBeforeAnyWork() throws {
    let slot = TensorSlot(
      name: "t", type: "U8", shape: [1 << 60], offset: 0, byteCount: 1 << 60)
    let layout = ExportLayout(files: [
      FileLayout(name: "x", header: [], tensors: [slot], byteCount: 1 << 60)
    ])
    let error = #expect(throws: ExportError.self) {
      try ExportWriter(
        layout, to: "\(folder.path)/out", as: .directory, replaces: false, purpose: "")
    }
    #expect("\(try #require(error))".contains("are free"))
    #expect(try folder.names.isEmpty)
  }
}
