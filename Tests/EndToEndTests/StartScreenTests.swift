import Foundation
import Testing

/// What is seen and done when nobody names a model.
@Suite(.serialized)
struct StartScreenTests {
  /// A home with the sample as a model of llama.cpp's cache and of LM Studio's, by links.
  private func home() throws -> URL {
    let home = FileManager.default.temporaryDirectory.appending(
      path: "vise-home-\(UUID().uuidString.prefix(8))")
    let sample = Pane.root.appending(path: "Samples/scripture")
    for (folder, name) in [(".cache/llama.cpp", "cached"), (".lmstudio/models/maker", "studied")] {
      let place = home.appending(path: folder)
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        at: place.appending(path: name), withDestinationURL: sample)
    }
    return home
  }

  private func pane(_ arguments: [String], home: URL) throws -> Pane {
    try Pane(
      arguments,
      environment: [
        "HOME": home.path, "XDG_CACHE_HOME": "\(home.path)/.cache", "HF_HOME": "\(home.path)/hf",
        "OLLAMA_MODELS": "\(home.path)/ollama",
      ])
  }

  @Test func modelsOfProgramsAndTheSampleAreOffered() throws {
    let home = try home()
    defer { try? FileManager.default.removeItem(at: home) }
    let pane = try pane([], home: home)
    try pane.wait(for: "maker/studied")
    try pane.wait(for: "LM Studio")
    try pane.wait(for: "scripture")
    try pane.press("j", "Enter")
    try pane.wait(for: "q_proj")
    // Another one is two keys away.
    try pane.press("O")
    try pane.wait(for: "llama.cpp")
    try pane.press("Escape")
    try pane.wait(for: "q_proj")
    try pane.press("q")
    try pane.expectRestored(status: 0)
  }

  @Test func aFolderOfSeveralListsThem() throws {
    let home = try home()
    defer { try? FileManager.default.removeItem(at: home) }
    let pane = try pane(["\(home.path)/.cache/llama.cpp"], home: home)
    // One model is opened by its own path, as ever.
    try pane.wait(for: "is not a model")
    let second = home.appending(path: ".cache/llama.cpp/second")
    try FileManager.default.createSymbolicLink(
      at: second, withDestinationURL: Pane.root.appending(path: "Samples/scripture"))
    let several = try self.pane(["\(home.path)/.cache/llama.cpp"], home: home)
    try several.wait(for: "In the folder")
    try several.wait(for: "second")
    try several.press("Enter")
    try several.wait(for: "q_proj")
    try several.press("F7")
    try several.wait(for: "room for weights", seconds: 60)
    try several.press("q")
    try several.expectRestored(status: 0)
  }
}
