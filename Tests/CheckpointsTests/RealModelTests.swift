import Checkpoints
import Tensors
import Testing
import TestSupport

/// SmolLM2-135M-Instruct as GGUF, and the same weights rounded to F16 as a Hugging Face directory.
struct RealModelTests {
  @Test func bothFormatsDescribeTheSameModel() throws {
    let gguf = try Checkpoint.open(Repository.model("smollm2.gguf")).description
    let directory = try Checkpoint.open(Repository.model("smollm2-hf")).description
    #expect(gguf.format == .gguf)
    #expect(directory.format == .huggingFace)
    for model in [gguf, directory] {
      #expect(model.architecture == "llama")
      #expect(model.hiddenSize == 576)
      let blueprint = try #require(model.blueprint)
      #expect(blueprint.blocks.count == 30)
      for block in blueprint.blocks {
        #expect(block.feedForward.innerSize == 1536)
        let attention = try #require(block.attention)
        #expect(attention.headCount == 9)
        #expect(attention.keyValueHeadCount == 3)
        #expect(attention.headSize == 64)
        #expect(attention.window == nil)
      }
      #expect(model.vocabularySize == 49152)
      #expect(model.contextLength == 8192)
      #expect(
        blueprint.ropes == [RopeFacts(pairing: .halves, theta: 100_000, rotatedSize: 64)])
      #expect(blueprint.normEpsilon == 1e-5)
      #expect(model.tiesEmbeddings)
      #expect(model.parameterCount == 134_515_008)
      #expect(model.layers.count == 211)
    }
    #expect(gguf.name == "smollm2")
    #expect(directory.name == "smollm2-hf")
    #expect(directory.tensorBytes == 2 * 134_515_008)
    #expect(gguf.layers.map(\.name) == directory.layers.map(\.name))
    #expect(gguf.layers.map(\.rows) == directory.layers.map(\.rows))
    #expect(gguf.layers[0].type == .q8_0)
    #expect(gguf.layers[1].type == .q4_1)
  }

  @Test func bothFormatsHoldTheSameWeightsInTheSameOrder() throws {
    let gguf = try Checkpoint.open(Repository.model("smollm2.gguf"))
    let directory = try Checkpoint.open(Repository.model("smollm2-hf"))
    for layer in gguf.description.layers {
      let rows = Array(Set([0, 1, 33, layer.rows / 2 + 5, layer.rows - 1])).sorted()
      let quantized = try gguf.matrix(of: layer.name).decoded(rows: rows)
      let halves = try directory.matrix(of: layer.name).decoded(rows: rows)
      #expect(quantized.values.map { Float(Float16($0)) } == halves.values, "\(layer.name)")
    }
    for norm in ["model.norm", "model.layers.3.input_layernorm"] {
      let single = try gguf.vector(named: norm)
      #expect(try single.map { Float(Float16($0)) } == directory.vector(named: norm))
    }
  }
}
