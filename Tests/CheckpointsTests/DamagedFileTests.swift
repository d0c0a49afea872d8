import FoundationEssentials
import Tensors
import Testing
import TestSupport

@testable import Checkpoints

/// Files cut off and overwritten at every place: they open and can be read, or give an error.
struct DamagedFileTests {
  /// Opens the model in `path` and reads all of it.
  ///
  /// - Returns: whether it is the model that it should be.
  private func readAll(_ path: String) -> Bool {
    do {
      let checkpoint = try Checkpoint.open(path)
      for layer in checkpoint.description.layers {
        _ = try checkpoint.matrix(of: layer.name).decoded()
      }
      _ = try checkpoint.vector(named: "model.norm")
      _ = try checkpoint.tokenizerDefinition()
      return true
    } catch {
      return false
    }
  }

  /// Calls `body` with the path of a copy of the model `name` and that of `file` in it.
  private func withCopy(
    of name: String, file: String, _ body: (String, String) throws -> Void
  ) throws {
    try TestFiles.withDirectory { directory in
      let copy = "\(directory)/\(name)"
      try FileManager.default.copyItem(atPath: TestFiles.fixture(name), toPath: copy)
      try body(copy, file.isEmpty ? copy : "\(copy)/\(file)")
    }
  }

  /// Every length near the start, where the headers are, then every 211th.
  private func lengths(upTo count: Int, dense: Int) -> [Int] {
    Array(0..<min(dense, count)) + Array(stride(from: dense, to: count, by: 211))
  }

  @Test func truncatedGGUF() throws {
    try withCopy(of: "tiny.gguf", file: "") { path, file in
      let bytes = try TestFiles.read(file)
      for length in lengths(upTo: bytes.count, dense: 300) {
        try TestFiles.write(Array(bytes[..<length]), to: file)
        // What is missing at the very end is padding only.
        #expect(!readAll(path) || bytes.count - length < 32, "\(length) bytes")
      }
    }
  }

  @Test(arguments: ["model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"])
  func truncatedDirectory(name: String) throws {
    try withCopy(of: "tiny", file: name) { path, file in
      let bytes = try TestFiles.read(file)
      for length in lengths(upTo: bytes.count, dense: 200) {
        try TestFiles.write(Array(bytes[..<length]), to: file)
        #expect(!readAll(path), "\(length) bytes")
      }
    }
  }

  @Test(arguments: [
    ("tiny.gguf", ""), ("tiny", "model.safetensors"), ("tiny", "config.json"),
    ("tiny", "tokenizer.json"), ("tiny-sharded", "model.safetensors.index.json"),
  ])
  func overwrittenBytes(name: String, file: String) throws {
    var random = SeededRandom(seed: 2026)
    try withCopy(of: name, file: file) { path, file in
      let bytes = try TestFiles.read(file)
      let end = min(bytes.count, 12_000)
      var failures = 0
      for _ in 0..<150 {
        var damaged = bytes
        for _ in 0..<Int.random(in: 1...3, using: &random) {
          damaged[Int.random(in: 0..<end, using: &random)] = .random(in: 0...255, using: &random)
        }
        try TestFiles.write(damaged, to: file)
        if !readAll(path) { failures += 1 }
      }
      // Most of these headers is names and punctuation, which no reader may misread.
      #expect(failures > 40)
    }
  }
}
