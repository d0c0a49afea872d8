import FoundationEssentials
import TestSupport
import Testing

@testable import Checkpoints

/// Models found by path and by name, and what is said where there is none.
struct ModelLocationTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private var homes: ModelHomes {
    ModelHomes(environment: [
      "HF_HUB_CACHE": "\(folder.path)/hub", "OLLAMA_MODELS": "\(folder.path)/ollama",
    ])
  }

  private func copy(_ fixture: String, to name: String) throws {
    let path = "\(folder.path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: PathName.split(path).parent, withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: TestFiles.fixture(fixture), toPath: path)
  }

  private func resolve(_ name: String) throws -> ModelLocation {
    try ModelLocation.resolve("\(folder.path)/\(name)", homes: homes)
  }

  private func gguf(_ location: ModelLocation) throws -> String {
    guard case .gguf(let path) = location.files else {
      throw CheckpointError(file: location.name, reason: "is no GGUF file")
    }
    return path
  }

  private func directory(
    _ location: ModelLocation
  ) throws -> (directory: HuggingFaceDirectory, weights: String?) {
    guard case .directory(let directory, let weights) = location.files else {
      throw CheckpointError(file: location.name, reason: "is no directory")
    }
    return (directory, weights)
  }

  private func tensors(_ location: ModelLocation) throws -> TensorTable {
    let found = try directory(location)
    return try found.directory.tensors(only: found.weights)
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

  // MARK: - Directories

  @Test func directoriesAndTheirFiles() throws {
    try copy("tiny", to: "tiny")
    let whole = try resolve("tiny")
    #expect(whole.name == "tiny")
    #expect(whole.notes.isEmpty)
    #expect(try tensors(whole).notes.isEmpty)
    let bare = try resolve("tiny/model.safetensors")
    #expect(try directory(bare).weights == "model.safetensors")
    #expect(bare.name == "tiny")
    #expect(try directory(resolve("tiny/config.json")).weights == nil)
  }

  @Test func withoutConfigurationTensorsAreThere() throws {
    try copy("tiny/model.safetensors", to: "bare/weights.safetensors")
    let whole = try resolve("bare")
    #expect(try directory(whole).directory.json(HuggingFaceDirectory.config) == nil)
    let table = try tensors(whole)
    #expect(!table.entries.isEmpty)
    #expect(table.notes == ["weights.safetensors is read, the one file of weights"])
    #expect(try tensors(resolve("bare/weights.safetensors")).notes.isEmpty)
    // Blobs of caches are called by their hashes.
    try copy("tiny/model.safetensors", to: "blobs/0123")
    #expect(try directory(resolve("blobs/0123")).weights == "0123")
  }

  @Test func shardsWithoutAnIndex() throws {
    try copy("tiny-sharded", to: "sharded")
    let count = try tensors(resolve("sharded")).entries.count
    try FileManager.default.removeItem(
      atPath: "\(folder.path)/sharded/model.safetensors.index.json")
    let table = try tensors(resolve("sharded"))
    #expect(table.entries.count == count)
    #expect(table.notes.first?.hasPrefix("there is no model.safetensors.index.json") == true)
    let part = "sharded/model-00002-of-00002.safetensors"
    #expect(try tensors(resolve(part)).entries.count == count)
    try FileManager.default.removeItem(atPath: "\(folder.path)/\(part)")
    refused(
      "model-00002-of-00002.safetensors: is missing: 1 of 2 parts",
      "run `hf download ORGANISATION/MODEL model-00002-of-00002.safetensors --local-dir "
    ) { _ = try tensors(resolve("sharded")) }
  }

  @Test func aSingleFileBesideAnIndexIsTakenFirst() throws {
    try copy("tiny-sharded", to: "both")
    try copy("tiny/model.safetensors", to: "both/model.safetensors")
    let table = try tensors(resolve("both"))
    #expect(table.files == ["\(folder.path)/both/model.safetensors"])
    #expect(table.notes.first?.contains("and not the shards") == true)
  }

  @Test func tensorsInAnotherPartThanTheIndexSays() throws {
    try copy("tiny-sharded", to: "wrong")
    let count = try tensors(resolve("wrong")).entries.count
    let index = "\(folder.path)/wrong/model.safetensors.index.json"
    let text = String(decoding: try TestFiles.read(index), as: UTF8.self)
    let line = "\"model.norm.weight\": \"model-0000"
    let end = try #require(text.firstRange(of: line)).upperBound
    let moved = text[..<end] + (text[end] == "1" ? "2" : "1") + text[text.index(after: end)...]
    try TestFiles.write(Array(moved.utf8), to: index)
    let table = try tensors(resolve("wrong"))
    #expect(table.entries.count == count)
    #expect(
      table.notes.first?.contains("the wrong part for 1 tensors, such as model.norm.weight") == true
    )
  }

  @Test func oneGGUFFileIsOpenedAndSeveralAreListed() throws {
    try copy("tiny.gguf", to: "models/one/tiny.gguf")
    let one = try resolve("models/one")
    #expect(try gguf(one) == "\(folder.path)/models/one/tiny.gguf")
    #expect(one.name == "tiny")
    #expect(one.notes == ["opened tiny.gguf, the one GGUF file of the directory"])
    try copy("tiny.gguf", to: "models/one/mmproj-tiny.gguf")
    #expect(try gguf(resolve("models/one")) == "\(folder.path)/models/one/tiny.gguf")
    try copy("tiny.gguf", to: "models/one/other.gguf")
    refused("holds 2 GGUF files", "models/one/other.gguf, ", "models/one/tiny.gguf") {
      _ = try resolve("models/one")
    }
    try copy("tiny.gguf", to: "split/tiny-00001-of-00002.gguf")
    try copy("tiny.gguf", to: "split/tiny-00002-of-00002.gguf")
    #expect(try gguf(resolve("split")) == "\(folder.path)/split/tiny-00001-of-00002.gguf")
  }

  @Test func directoriesOfModelsListThem() throws {
    try copy("tiny", to: "models/a")
    refused("is not a model, but holds one", "give \(folder.path)/models/a") {
      _ = try resolve("models")
    }
    try copy("tiny.gguf", to: "models/b/x.gguf")
    refused("holds 2 models", "give one of \(folder.path)/models/a, \(folder.path)/models/b") {
      _ = try resolve("models")
    }
    try copy("tiny/model.safetensors", to: "loose/a.safetensors")
    try copy("tiny/model.safetensors", to: "loose/b.safetensors")
    refused("holds 2 files of weights", "loose/a.safetensors, ") {
      _ = try tensors(resolve("loose"))
    }
  }

  @Test func whatIsNoModelIsSaidToBe() throws {
    try folder.makeDirectory("empty")
    refused("holds neither model.safetensors nor") { _ = try resolve("empty") }
    try folder.makeDirectory("adapter")
    try folder.write([0], to: "adapter/adapter_model.safetensors")
    refused("is an adapter") { _ = try resolve("adapter") }
    try folder.write([0x50, 0x4b, 3, 4, 0, 0], to: "empty/pytorch_model.bin")
    refused("is a PyTorch file") { _ = try resolve("empty/pytorch_model.bin") }
    refused("convert its pytorch_model files") { _ = try resolve("empty") }
    try folder.write(Array("text".utf8), to: "empty/notes.txt")
    refused("is neither a GGUF file nor part of") { _ = try resolve("empty/notes.txt") }
  }

  @Test func nearMissesAreSuggested() throws {
    try copy("tiny.gguf", to: "models/qwen2.5-coder.gguf")
    let path = "\(folder.path)/models/qwen2.5-coder.gguf"
    for miss in ["models/qwen2.5-codr.gguf", "models/Qwen2.5-Coder.gguf", "models/qwen2.5-coder"] {
      refused("No such file or directory; did you mean \(path)?") { _ = try resolve(miss) }
    }
    refused("did you mean \(path)?") { _ = try resolve("modles/qwen2.5-coder.gguf") }
    let error = #expect(throws: CheckpointError.self) { try resolve("models/llama.gguf") }
    #expect(error?.hint == nil)
  }

  // MARK: - Pointers

  private static let pointer = Array(
    "version https://git-lfs.github.com/spec/v1\noid sha256:\(String(repeating: "a", count: 64))\nsize 12345\n"
      .utf8)

  @Test func pointersOfLFSAreNamed() throws {
    for file in ["model.safetensors", "config.json", "tokenizer.json"] {
      try copy("tiny", to: file)
      let path = "\(folder.path)/\(file)/\(file)"
      try TestFiles.write(Self.pointer, to: path)
      refused(
        "\(path): is a pointer of Git LFS and not the file of 12345 bytes",
        "run `git lfs pull` in \(folder.path)/\(file)"
      ) { _ = try Checkpoint.open("\(folder.path)/\(file)").tokenizerDefinition() }
    }
    try folder.write(Self.pointer, to: "m.gguf")
    refused("m.gguf: is a pointer of Git LFS") { _ = try resolve("m.gguf") }
  }
}
