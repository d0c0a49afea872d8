@testable import Checkpoints
import Compression
import Export
import Inference
import Tensors
import Testing
import TestSupport
import JSON

/// Settings, tokenizer and other files of an exported directory.
struct HuggingFaceLayoutTests {
  private let kept = "Tests/CheckpointsTests/Fixtures/tiny"

  private func files(of checkpoint: Checkpoint) throws -> [(name: String, bytes: [UInt8])] {
    let model = try CompressedModel(checkpoint) { _ in .keep }
    return try model.files(CompressedTensorsEncoding(model: model.export, target: .transformers))
  }

  private func comparable(_ tokenizer: TokenizerDefinition) -> TokenizerDefinition {
    var tokenizer = tokenizer
    tokenizer.source = ""
    return tokenizer
  }

  @Test func settingsStayAndOtherFilesAreCopied() throws {
    let checkpoint = try Checkpoint.open(Repository.path("Samples/scripture"))
    let model = try CompressedModel(checkpoint) { shape in
      shape.rows > 1000 ? .keep : Scheme(quantization: QuantizationScheme(bits: 4))
    }
    let encoding = try CompressedTensorsEncoding(model: model.export, target: .vllm)
    #expect(
      encoding.layout.copies.map(\.name)
        == ["README.md", "generation_config.json", "tokenizer.json", "tokenizer_config.json"])
    for copy in encoding.layout.copies {
      #expect(copy.source == Repository.path("Samples/scripture/\(copy.name)"))
    }
    let source = try #require(
      JSONFile(path: Repository.path("Samples/scripture/config.json")).root as JSONObject?)
    let written = try WrittenConfig(try model.files(encoding)).root
    for member in source.members { #expect(written[member.name] == member.value, "\(member.name)") }
    #expect(written.members.count == source.members.count + 1)
    let quantization = try #require(written["quantization_config"]?.object)
    #expect(quantization["version"]?.string == "0.19.0")
    #expect(quantization["quant_method"]?.string == "compressed-tensors")
    #expect(quantization["quantization_status"]?.string == "compressed")
    #expect(quantization["format"]?.string == "pack-quantized")
    #expect(quantization["ignore"]?.array == ["lm_head"])
  }

  /// What others quantized is described as what it is in the export.
  @Test(arguments: ["gptq-llama", "mlx-llama"])
  func codesOfOthersStayOrAreDecoded(model: String) throws {
    let path = Repository.path("Tests/CheckpointsTests/Fixtures/others/\(model)")
    let source = try Checkpoint.open(path)
    let files = try files(of: source)
    let config = try WrittenConfig(files).root
    #expect(config["quantization"] == nil)
    #expect((config["quantization_config"] == nil) == (model == "mlx-llama"))
    try TestFiles.with(files) { folder in
      let opened = try Checkpoint.open(folder)
      #expect(opened.description.notes.isEmpty)
      for layer in source.description.layers {
        let (one, other) = (try source.matrix(of: layer.name), try opened.matrix(of: layer.name))
        #expect(one.decoded() == other.decoded(), "\(layer.name)")
        guard case .packed(let codes) = one else { continue }
        guard case .packed(codes) = other else {
          Issue.record("\(layer.name) has other codes")
          continue
        }
      }
    }
  }

  @Test func whatIsPrunedIsSaid() throws {
    let structure = ModelStructure(
      removedBlocks: [0], neurons: 32, keyValueHeads: 1,
      cuts: [1: .init(neurons: Array(stride(from: 1, to: 64, by: 2)), keyValueHeads: [0])])
    let checkpoint = try Checkpoint.open(Repository.path(kept)).pruned(by: structure)
    let files = try files(of: checkpoint)
    let config = try WrittenConfig(files).root
    let sizes = [
      "num_hidden_layers": 1, "intermediate_size": 32, "num_attention_heads": 2,
      "num_key_value_heads": 1, "head_dim": 8, "hidden_size": 32,
    ]
    for (name, size) in sizes { #expect(config[name] == .integer(size), "\(name)") }
    try TestFiles.with(files) { folder in
      let opened = try Checkpoint.open(folder)
      #expect(opened.description.layers.map(\.rows) == checkpoint.description.layers.map(\.rows))
    }
  }

  @Test func aDirectoryIsMadeOfGGUF() throws {
    let gguf = try Checkpoint.open(Repository.path("\(kept).gguf"))
    try TestFiles.with(try files(of: gguf)) { folder in
      let opened = try Checkpoint.open(folder)
      let (found, source) = (opened.description, gguf.description)
      #expect(found.blueprint?.blocks == source.blueprint?.blocks)
      #expect(found.contextLength == source.contextLength)
      for (rope, other) in zip(found.blueprint?.ropes ?? [], source.blueprint?.ropes ?? []) {
        #expect(rope.theta == other.theta)
        #expect(zip(rope.divisors, other.divisors).allSatisfy { abs($0 / $1 - 1) < 1e-6 })
      }
      #expect(found.blueprint?.normEpsilon == source.blueprint?.normEpsilon)
      #expect(found.tiesEmbeddings == source.tiesEmbeddings)
      #expect(found.layers.map(\.rows) == source.layers.map(\.rows))
      #expect(found.layers.allSatisfy { !$0.type.isQuantized })
      #expect(
        try comparable(opened.tokenizerDefinition()) == comparable(gguf.tokenizerDefinition()))
    }
  }
}
