import FoundationEssentials
import Tensors
import TestSupport
import Testing

@testable import Checkpoints

/// Tiny models that Python's safetensors and gguf wrote (Tests/Oracles/make_tiny_models.py).
struct TinyModelTests {
  private func open(_ name: String) throws -> Checkpoint {
    try Checkpoint.open(TestFiles.fixture(name))
  }

  @Test func describesASingleFile() throws {
    let model = try open("tiny").description
    #expect(model.name == "tiny")
    #expect(model.format == .huggingFace)
    #expect(model.hiddenSize == 32)
    let blueprint = try #require(model.blueprint)
    let attention = try #require(blueprint.blocks.first?.attention)
    #expect(attention.headSize == 8)
    #expect(attention.keyValueHeadCount == 2)
    #expect(model.vocabularySize == 276)
    #expect(blueprint.ropes == [RopeFacts(pairing: .halves, theta: 10_000, rotatedSize: 8)])
    #expect(model.tiesEmbeddings)
    let first = model.layers[0]
    #expect(first.name == "model.embed_tokens")
    #expect(first.block == nil)
    #expect(first.type == .bfloat16)
    #expect(first.bytes == 276 * 32 * 2)
    #expect(
      model.layers[1..<8].map(\.name) == [
        "model.layers.0.self_attn.q_proj", "model.layers.0.self_attn.k_proj",
        "model.layers.0.self_attn.v_proj", "model.layers.0.self_attn.o_proj",
        "model.layers.0.mlp.gate_proj", "model.layers.0.mlp.up_proj",
        "model.layers.0.mlp.down_proj",
      ])
    #expect(model.layers[2].role == .key)
    #expect(model.layers[2].block == 0)
    #expect(model.layers[2].rows == 16)
    #expect(model.layers.count == 15)
    #expect(model.parameterCount == model.layers.reduce(5 * 32) { $0 + $1.parameters })
  }

  @Test(arguments: ["tiny-sharded", "tiny.gguf"])
  func describesShardsAndGGUFAlike(name: String) throws {
    let model = try open(name).description
    #expect(!model.tiesEmbeddings)
    #expect(model.layers.last?.role == .head)
    #expect(model.layers.count == 16)
    #expect(model.contextLength == 128)
    let blueprint = try #require(model.blueprint)
    #expect(blueprint.normEpsilon == 1e-5)
    let rope = try #require(blueprint.ropes.first)
    #expect(rope.theta == 500_000)
    // GGUF lists what the rule of config.json comes to.
    let rule = Llama3Scaling(
      factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalLength: 8192)
    if model.format == .huggingFace { #expect(rope.scaling == .llama3(rule)) }
    #expect(Llama3Scaling(explaining: rope.divisors, of: rope) == rule)
  }

  @Test(arguments: ["tiny": "tiny", "tiny-sharded": "tiny-sharded", "tiny.gguf": "tiny-sharded"])
  func rowsEqualTheOnesRecorded(name: String, recorded: String) throws {
    let checkpoint = try open(name)
    let data = try Data(TestFiles.read(TestFiles.fixture("tiny-rows.json")))
    let rows = try JSONDecoder().decode([String: [String: [Float]]].self, from: data)
    for (tensor, expected) in try #require(rows[recorded]) {
      let values =
        tensor.hasSuffix("norm")
        ? try checkpoint.vector(named: tensor)
        : try lastRow(of: checkpoint.matrix(of: tensor))
      #expect(values == expected, "\(name) \(tensor)")
    }
  }

  private func lastRow(of matrix: LayerWeights) -> [Float] {
    matrix.decoded(rows: matrix.rows - 1..<matrix.rows).values
  }

  @Test func ggufRowsComeInHuggingFaceOrder() throws {
    let (gguf, directory) = (try open("tiny.gguf"), try open("tiny-sharded"))
    for layer in directory.description.layers {
      let expected = try directory.matrix(of: layer.name).decoded()
      #expect(try gguf.matrix(of: layer.name).decoded() == expected, "\(layer.name)")
    }
  }

  @Test func aFileInsideOpensItsDirectory() throws {
    let whole = try open("tiny").description
    for file in ["model.safetensors", "config.json"] {
      let model = try open("tiny/\(file)").description
      #expect(model.name == "tiny")
      #expect(model.layers == whole.layers)
    }
    let shard = try open("tiny-sharded/model-00002-of-00002.safetensors").description
    let shards = try open("tiny-sharded").description
    #expect(shard.layers == shards.layers)
    #expect(try open("tiny/").description.name == "tiny")
    #expect(try open("tiny/../tiny/.").description.name == "tiny")
  }

  /// Two models of the same tensors have two fingerprints, whichever byte tells them apart; the headers' is the same.
  @Test(arguments: ["tiny/model.safetensors", "tiny.gguf"])
  func fingerprintDependsOnEveryByte(name: String) throws {
    let folder = try TemporaryFolder()
    let root = name.split(separator: "/").first.map(String.init) ?? name
    let path = "\(folder.path)/\(root)"
    try FileManager.default.copyItem(atPath: TestFiles.fixture(root), toPath: path)
    let whole = try Checkpoint.open(path).description
    let bytes = try folder.bytes(of: name)
    for place in [bytes.count - 1, bytes.count - 999] {
      var changed = bytes
      changed[place] ^= 1
      try folder.write(changed, to: name)
      let other = try Checkpoint.open(path).description
      #expect(other.fingerprint != whole.fingerprint)
      #expect(other.headerFingerprint == whole.headerFingerprint)
      #expect(other.match(of: whole.fingerprint) == .other)
      #expect(other.match(of: whole.headerFingerprint ?? "") == .sameShapes)
    }
    try folder.write(bytes, to: name)
    #expect(try Checkpoint.open(path).description.match(of: whole.fingerprint) == .same)
  }

  @Test func fingerprintDependsOnTheHeader() throws {
    let names = ["tiny", "tiny-sharded", "tiny.gguf"]
    let fingerprints = try names.map { try open($0).description.fingerprint }
    #expect(Set(fingerprints).count == 3)
    #expect(fingerprints.allSatisfy { $0.count == 64 })
    #expect(try names.map { try open($0).description.fingerprint } == fingerprints)
  }

  @Test func unknownNamesAreErrors() throws {
    let checkpoint = try open("tiny")
    #expect(throws: CheckpointError.self) {
      try checkpoint.matrix(of: "model.layers.2.mlp.up_proj")
    }
    // The head is tied: it is the embedding.
    #expect(throws: CheckpointError.self) { try checkpoint.matrix(of: "lm_head") }
    #expect(throws: CheckpointError.self) { try checkpoint.vector(named: "model.embed_tokens") }
  }

  @Test func tokenizersOfBothFormatsAgree() throws {
    let directory = try open("tiny-sharded").tokenizerDefinition()
    var gguf = try open("tiny.gguf").tokenizerDefinition()
    #expect(directory.tokens.count == 276)
    #expect(directory.merges.count == 276 - 256 - 2)
    #expect(directory.preTokenizer == .gpt2)
    #expect(directory.beginToken == 0)
    #expect(directory.endTokens == [1])
    #expect(directory.addedTokens.map(\.text) == ["<|begin|>", "<|end|>"])
    #expect(directory.addedTokens.map(\.isSpecial) == [true, true])
    #expect(directory.chatTemplate == nil)
    gguf.source = directory.source
    #expect(gguf == directory)
  }
}
