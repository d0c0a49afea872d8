import Foundation
import Testing

/// What becomes of results that cannot be printed, and of files beside streams that are closed.
@Suite struct StandardOutputTests {
  private let model: TinyModel

  init() throws { model = try TinyModel() }

  /// The status of a command line, and what it says.
  private func shell(_ line: String) throws -> (status: Int32, errors: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", line]
    process.environment = ["VISE": try ViseProcess.binary().path, "MODEL": model.path]
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    let complaints = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: complaints, as: UTF8.self))
  }

  @Test(arguments: [
    "inspect \"$MODEL\"", "inspect --json \"$MODEL\"", "targets", "--help", "--version",
    "preview \"$MODEL\" --bits 8 --group 16",
  ])
  func fullDiskIsAFailure(command: String) throws {
    let full = try shell("exec \"$VISE\" \(command) >/dev/full")
    #expect(full.status == 1)
    #expect(full.errors == "vise: error: standard output: No space left on device\n")
    #expect(try shell("exec \"$VISE\" \(command) >&-").status == 1)
    #expect(try shell("exec \"$VISE\" \(command) >/dev/null").status == 0)
  }

  /// What is printed goes to no file that happens to have the number of a closed stream.
  @Test func closedStreamsAreNoFiles() throws {
    let export = "export \"$MODEL\" --format gguf --output"
    #expect(try shell("exec \"$VISE\" \(export) \"$MODEL/a.gguf\"").status == 0)
    #expect(
      try shell("exec \"$VISE\" \(export) \"$MODEL/b.gguf\" <&- >&- 2>&-").status == 1)
    let files = try ["a", "b"].map {
      try Data(contentsOf: URL(filePath: "\(model.path)/\($0).gguf"))
    }
    #expect(files[0] == files[1])
  }

  /// A reader that has seen enough ends the command as it ends every other.
  @Test func closedPipesAreQuiet() throws {
    let found = try shell(
      "\"$VISE\" inspect --json \"$MODEL\" | true; \"$VISE\" inspect \"$MODEL\" | head -n 1")
    #expect(found.errors.isEmpty)
  }
}
