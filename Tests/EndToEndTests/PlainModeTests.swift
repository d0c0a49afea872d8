import Foundation
import Testing

/// A script of commands, without a terminal.
struct PlainModeTests {
  private static let sample = Pane.root.appending(path: "Samples/scripture").path

  /// What is printed for a script, run in a folder of its own.
  private func run(_ lines: [String], in folder: URL) throws -> String {
    let script = folder.appending(path: "script.txt")
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: script)
    let command =
      "cd '\(folder.path)' && '\(Pane.binary)' open '\(Self.sample)' --plain --in-process < script.txt"
    return try Command.run(
      ["bash", "-c", command],
      environment: ["XDG_STATE_HOME": folder.path, "XDG_CONFIG_HOME": folder.path])
  }

  private func folder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "vise-plain-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  @Test func aScriptWaitsForEachOfItsLines() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let text = Pane.root.appending(path: "Samples/prompts.txt").path
    let told = try run(
      [
        ":bits 4 *", "evaluate \(text)", "set tokens 8", "prompt And it came to pass",
        "write plan.yaml",
        "export model.gguf", "yes", "quit",
      ], in: folder)
    for sentence in [
      "scripture: llama, 6 blocks, 43 layers", "4 bit on 43 layers: 11.5 MB to ", "PPL ",
      "Original: ",
      "Compressed: ", "Saved", "written to model.gguf",
    ] {
      #expect(told.contains(sentence), "\(sentence) in \(told)")
    }
    #expect(FileManager.default.fileExists(atPath: folder.appending(path: "model.gguf").path))
    #expect(!told.contains("\u{1B}"))
  }

  @Test func whatWasNotDoneIsAFailure() throws {
    let folder = try folder()
    defer { try? FileManager.default.removeItem(at: folder) }
    let error = #expect(throws: Command.Failure.self) {
      try run(["bits 9", "bits 4 no-such-layer", "quit!"], in: folder)
    }
    #expect(error?.description.contains("Error: Bits are 2 to 8") == true)
    #expect(error?.description.contains("No layer is called \"no-such-layer\"") == true)
  }
}
