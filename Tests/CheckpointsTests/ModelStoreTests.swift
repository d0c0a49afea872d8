import FoundationEssentials
import TestSupport
import Testing

@testable import Checkpoints

/// Models in Hugging Face's cache and among Ollama's, laid out as those programs do.
struct ModelStoreTests {
  private let folder: TemporaryFolder
  private static let revision = String(repeating: "ab", count: 20)

  init() throws { folder = try TemporaryFolder() }

  private var homes: ModelHomes {
    ModelHomes(environment: [
      "HF_HOME": folder.path, "OLLAMA_MODELS": "\(folder.path)/ollama",
    ])
  }

  private func resolve(_ name: String) throws -> ModelLocation {
    try ModelLocation.resolve(name, homes: homes)
  }

  private func refused(
    _ parts: String..., location: SourceLocation = #_sourceLocation, _ body: () throws -> Void
  ) {
    let error = #expect(throws: CheckpointError.self, sourceLocation: location) { try body() }
    for part in parts {
      #expect(
        error?.description.contains(part) == true, "\(String(describing: error))",
        sourceLocation: location)
    }
  }

  /// Puts the tiny model into the cache and returns the repository's folder.
  private func cache(_ repository: String) throws -> String {
    let root = "hub/models--\(repository.replacing("/", with: "--"))"
    let snapshot = try folder.makeDirectory("\(root)/snapshots/\(Self.revision)")
    try folder.makeDirectory("\(root)/blobs")
    try folder.makeDirectory("\(root)/refs")
    try folder.write(Array("\(Self.revision)\n".utf8), to: "\(root)/refs/main")
    let tiny = TestFiles.fixture("tiny")
    for name in try FileManager.default.contentsOfDirectory(atPath: tiny) {
      try FileManager.default.copyItem(
        atPath: "\(tiny)/\(name)", toPath: "\(folder.path)/\(root)/blobs/blob-\(name)")
      try FileManager.default.createSymbolicLink(
        atPath: "\(snapshot)/\(name)", withDestinationPath: "../../blobs/blob-\(name)")
    }
    return "\(folder.path)/\(root)"
  }

  @Test func repositoriesOpenByFolderSnapshotAndName() throws {
    let root = try cache("acme/tiny--one")
    let snapshot = "\(root)/snapshots/\(Self.revision)"
    for path in [root, snapshot, "acme/tiny--one"] {
      let location = try resolve(path)
      #expect(location.name == "tiny--one", "\(path)")
      guard case .directory(let directory, nil) = location.files else {
        Issue.record("\(path) is no directory")
        continue
      }
      #expect(directory.path == snapshot)
      #expect(try !directory.tensors(only: nil).entries.isEmpty)
      #expect(location.notes.isEmpty == (path == snapshot))
    }
    #expect(try Checkpoint.open(root).description.name == "tiny--one")
  }

  @Test func evictedBlobsAreNamed() throws {
    let root = try cache("acme/tiny")
    let link = "\(root)/snapshots/\(Self.revision)/model.safetensors"
    try FileManager.default.removeItem(atPath: "\(root)/blobs/blob-model.safetensors")
    for path in [root, link] {
      refused(
        "\(link): is a link to ../../blobs/blob-model.safetensors, which Hugging Face's cache no longer",
        "run `hf download acme/tiny model.safetensors`"
      ) { _ = try Checkpoint.open(path) }
    }
  }

  @Test func snapshotsThatAreNotThere() throws {
    let root = try cache("acme/tiny")
    try folder.write(Array("cdcd".utf8), to: "hub/models--acme--tiny/refs/main")
    refused("has no snapshot of revision cdcd", "run `hf download acme/tiny`", Self.revision) {
      _ = try resolve(root)
    }
    try FileManager.default.removeItem(atPath: "\(root)/refs/main")
    #expect(try resolve(root).name == "tiny")
    try folder.makeDirectory("hub/models--acme--tiny/snapshots/ef")
    refused("has several snapshots") { _ = try resolve(root) }
    try FileManager.default.removeItem(atPath: "\(root)/snapshots")
    try folder.makeDirectory("hub/models--acme--tiny/snapshots")
    refused("without a snapshot", "run `hf download acme/tiny`") { _ = try resolve(root) }
  }

  @Test func theCacheListsItsModels() throws {
    let one = try cache("acme/one")
    let two = try cache("acme/two")
    refused("holds 2 models", "give one of \(one), \(two)") {
      _ = try resolve("\(folder.path)/hub")
    }
    refused("No such file or directory; did you mean acme/one?") { _ = try resolve("acme/onne") }
  }

  @Test func homesAreThoseOfThePrograms() {
    func hub(_ environment: [String: String]) -> String {
      ModelHomes(environment: environment).hub.path
    }
    #expect(hub(["HOME": "/h"]) == "/h/.cache/huggingface/hub")
    #expect(hub(["HOME": "/h", "XDG_CACHE_HOME": "/x"]) == "/x/huggingface/hub")
    #expect(hub(["HOME": "/h", "HF_HOME": "/hf"]) == "/hf/hub")
    #expect(hub(["HF_HOME": "/hf", "HF_HUB_CACHE": "/c"]) == "/c")
    #expect(hub(["HF_HOME": "/hf", "HF_HUB_CACHE": ""]) == "/hf/hub")
    let stores = ModelHomes(environment: ["HOME": "/h"]).ollama.map(\.path)
    #expect(stores == ["/h/.ollama/models", "/usr/share/ollama/.ollama/models"])
  }

  // MARK: - Ollama

  /// Puts the tiny GGUF file among Ollama's models.
  private func pull(_ manifest: String, layers: String? = nil) throws {
    let blobs = try folder.makeDirectory("ollama/blobs")
    let blob = "\(blobs)/sha256-0123"
    if !FileManager.default.fileExists(atPath: blob) {
      try FileManager.default.copyItem(atPath: TestFiles.fixture("tiny.gguf"), toPath: blob)
    }
    let path = "ollama/manifests/\(manifest)"
    try folder.makeDirectory(PathName.split(path).parent)
    let model = #"{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:0123"}"#
    let text = #"{"schemaVersion": 2, "layers": [\#(layers ?? model)]}"#
    try folder.write(Array(text.utf8), to: path)
  }

  @Test func ollamasModelsOpenByName() throws {
    try pull("registry.ollama.ai/library/tiny/latest")
    try pull("registry.ollama.ai/library/tiny/1b-q4")
    try pull("registry.ollama.ai/someone/else/latest")
    try pull("hf.co/acme/tiny/Q4_K_M")
    for name in [
      "tiny", "ollama:tiny", "tiny:latest", "tiny:1b-q4", "ollama:someone/else",
      "hf.co/acme/tiny:Q4_K_M",
    ] {
      let location = try resolve(name)
      guard case .gguf(let path) = location.files else {
        Issue.record("\(name) is no GGUF file")
        continue
      }
      #expect(path == "\(folder.path)/ollama/blobs/sha256-0123")
      #expect(location.notes.count == 1)
      #expect("ollama:\(location.name)".hasSuffix(name))
    }
    refused("did you mean ollama:tiny:1b-q4") { _ = try resolve("ollama:tiny:1b-q5") }
    for name in [
      "ollama:../tiny", "ollama:tiny:..", "ollama:", "ollama:a/b/c/d", "ollama:tiny:a:b",
    ] {
      refused("No such file or directory") { _ = try resolve(name) }
    }
  }

  @Test func manifestsThatNameNoFile() throws {
    try pull("registry.ollama.ai/library/other/latest", layers: "")
    refused("has no layer that is a GGUF file") { _ = try resolve("ollama:other") }
    let gone = #"{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:4567"}"#
    try pull("registry.ollama.ai/library/gone/latest", layers: gone)
    refused("sha256-4567: is missing", "run `ollama pull gone`") { _ = try resolve("gone") }
    let outside = #"{"mediaType": "application/vnd.ollama.image.model", "digest": "../../x"}"#
    try pull("registry.ollama.ai/library/outside/latest", layers: outside)
    refused("has no layer that is a GGUF file") { _ = try resolve("outside") }
    let adapter =
      #"{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:0123"},"#
      + #"{"mediaType": "application/vnd.ollama.image.adapter", "digest": "sha256:0123"}"#
    try pull("registry.ollama.ai/library/adapted/latest", layers: adapter)
    #expect(try resolve("adapted").notes.last?.contains("adapter") == true)
  }
}
