import Foundation
import TestSupport
import Testing

@testable import Checkpoints

/// Homes of all programs with a model each, as they lay them out.
struct ModelFinderTests {
  private let home: TemporaryFolder
  private let finder: ModelFinder

  init() throws {
    home = try TemporaryFolder()
    let hub = ".cache/huggingface/hub/models--org--tiny"
    let files: [(String, [UInt8])] = [
      ("\(hub)/refs/main", Array("abc".utf8)),
      ("\(hub)/snapshots/abc/config.json", Array("{}".utf8)),
      ("\(hub)/snapshots/abc/model.safetensors", Array(repeating: 0, count: 50)),
      (
        ".cache/huggingface/hub/models--org--files/snapshots/d/a-Q4_K.gguf",
        Array(repeating: 0, count: 7)
      ),
      (
        ".cache/huggingface/hub/models--org--files/snapshots/d/a-Q8_0.gguf",
        Array(repeating: 0, count: 9)
      ),
      (".cache/huggingface/hub/models--org--empty/refs/main", Array("gone".utf8)),
      (
        ".ollama/models/manifests/registry.ollama.ai/library/small/1b",
        Array(
          "{\"layers\": [{\"mediaType\": \"application/vnd.ollama.image.model\", \"digest\": \"sha256:12\"}]}"
            .utf8)
      ),
      (
        ".ollama/models/manifests/registry.ollama.ai/library/lost/1b",
        Array("{\"layers\": []}".utf8)
      ),
      (".ollama/models/blobs/sha256-12", Array(repeating: 0, count: 11)),
      (".cache/llama.cpp/one.gguf", Array(repeating: 0, count: 13)),
      (".cache/llama.cpp/one.gguf.etag", [1]),
      (".lmstudio/models/maker/big/big-00001-of-00002.gguf", Array(repeating: 0, count: 20)),
      (".lmstudio/models/maker/big/big-00002-of-00002.gguf", Array(repeating: 0, count: 22)),
      (".lmstudio/models/maker/big/mmproj-big.gguf", Array(repeating: 0, count: 2)),
      ("sample/model.safetensors", Array(repeating: 0, count: 3)),
      ("sample/config.json", [123, 125]),
    ]
    for (name, bytes) in files {
      let folder = URL(filePath: "\(home.path)/\(name)").deletingLastPathComponent()
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try home.write(bytes, to: name)
    }
    finder = ModelFinder(
      environment: ["HOME": home.path], samples: ["\(home.path)/none", "\(home.path)/sample"])
  }

  @Test func everyProgramsModelsAreFound() {
    var found: [FoundModel] = []
    finder.find { found += $0 }
    #expect(
      found.map(\.name) == [
        "org/files: a-Q4_K.gguf", "org/files: a-Q8_0.gguf", "org/tiny", "small:1b", "one.gguf",
        "maker/big/big.gguf", "sample",
      ])
    #expect(found.map(\.bytes) == [7, 9, 50, 11, 13, 42, 3])
    #expect(
      found.map(\.home) == [
        .huggingFace, .huggingFace, .huggingFace, .ollama, .llamaCpp, .lmStudio, .sample,
      ])
    #expect(found[3].path == "ollama:small:1b")
    #expect(found[5].path == "\(home.path)/.lmstudio/models/maker/big/big-00001-of-00002.gguf")
  }

  @Test func aFolderListsWhatIsBelowIt() throws {
    let found = ModelFinder.models(in: home.path + "/.lmstudio")
    #expect(found.map(\.name) == ["models/maker/big/big.gguf"] && found[0].home == .folder)
    #expect(ModelFinder.models(in: home.path + "/nowhere").isEmpty)
    // What is deeper than people put models is left alone.
    let deep = home.path + "/a/b/c/d"
    try FileManager.default.createDirectory(atPath: deep, withIntermediateDirectories: true)
    try home.write([0], to: "a/b/c/d/deep.gguf")
    #expect(ModelFinder.models(in: home.path + "/a").map(\.name) == ["b/c/d/deep.gguf"])
    #expect(!ModelFinder.models(in: home.path).contains { $0.name.contains("deep") })
  }

  @Test func variablesMoveTheHomes() throws {
    let other = try TemporaryFolder([("two.gguf", [0])])
    var found: [FoundModel] = []
    ModelFinder(environment: ["HOME": "/nowhere", "LLAMA_CACHE": other.path]).find { found += $0 }
    #expect(found.map(\.name) == ["two.gguf"])
  }
}
