import Tensors
import Testing

@testable import Checkpoints

/// Checkpoints of architectures that nobody knows: they open, and have layers as far as names tell.
struct UnknownModelTests {
  private func unknown(_ type: String = "martian") -> SafetensorsBuilder {
    SafetensorsBuilder(config: "\"model_type\": \"\(type)\"")
  }

  @Test func unknownArchitecturesOpenWithLayers() throws {
    var builder = unknown()
    builder.add("lm_head.weight", [64, 32])
    builder.add("model.layers.10.mlp.up.weight", [48, 32])
    builder.add("model.layers.2.mixer.in_proj.weight", [40, 32])
    builder.add("model.layers.2.mixer.norm.weight", [32])
    builder.add("model.embed_tokens.weight", [64, 32])
    try builder.open { checkpoint in
      let model = checkpoint.description
      #expect(model.architecture == "martian" && model.blueprint == nil)
      #expect(model.abilities.names == ["weights"])
      #expect(model.abilities.runningObstacle == "the architecture \"martian\" does not run yet")
      #expect(
        model.layers.map(\.name) == [
          "model.embed_tokens", "model.layers.2.mixer.in_proj", "model.layers.10.mlp.up", "lm_head",
        ])
      #expect(
        model.layers.map(\.role) == [
          .embedTokens, Role(rawValue: "in_proj"), Role(rawValue: "up"), .head,
        ])
      #expect(model.layers.map(\.block) == [nil, 2, 10, nil] && model.blockCount == 11)
      #expect(model.layers.map(\.rows) == [64, 40, 48, 64])
      #expect(model.parameterCount == (64 + 64 + 40 + 48) * 32 + 32)
      #expect(checkpoint.unusedTensors.map(\.name) == ["model.layers.2.mixer.norm.weight"])
    }
  }

  /// What is no layer stays byte for byte.
  @Test func othersAreKept() throws {
    var builder = unknown()
    let kept = [
      "model.layers.0.input_layernorm.weight", "model.layers.0.mlp.gate.weight",
      "model.layers.0.block_sparse_moe.gate.weight", "model.layers.0.mlp.shared_expert_gate.weight",
      "model.layers.0.mlp.router.weight", "model.layers.0.conv1d.weight", "wpe.weight",
      "embeddings.position_embeddings.weight", "vision_tower.layers.0.q_proj.weight",
      "multi_modal_projector.linear_1.weight", "mtp.layers.0.mlp.up_proj.weight",
      "model.layers.0.self_attn.q_proj.bias", "model.layers.0.mixer.a_log",
    ]
    for (index, name) in kept.enumerated() { builder.add(name, [32, 32], from: Float(index)) }
    // Too small to be worth a layer, and of the wrong kind.
    builder.add("model.layers.0.small.weight", [31, 64])
    builder.add("model.layers.0.vector.weight", [64])
    builder.add("model.layers.0.cube.weight", [2, 2, 32, 32])
    builder.add("model.layers.0.self_attn.q_proj.weight", [32, 32])
    try builder.open { checkpoint in
      #expect(checkpoint.description.layers.map(\.name) == ["model.layers.0.self_attn.q_proj"])
      let unused = checkpoint.unusedTensors
      #expect(unused.count == kept.count + 3)
      for tensor in unused {
        let source = try #require(builder.tensors.first { $0.name == tensor.name })
        #expect(
          checkpoint.bytes(of: tensor) == source.values.flatMap { little($0.bitPattern) })
      }
    }
  }

  @Test func expertsAreOneLayer() throws {
    var builder = unknown()
    for expert in [1, 0, 2] {
      builder.add(
        "model.layers.0.mlp.experts.\(expert).up_proj.weight", [32, 40],
        from: Float(10_000 * expert))
    }
    builder.add("model.layers.0.mlp.experts.down_proj.weight", [3, 40, 32])
    try builder.open { checkpoint in
      let layers = checkpoint.description.layers
      #expect(
        Set(layers.map(\.name)) == [
          "model.layers.0.mlp.experts.up_proj", "model.layers.0.mlp.experts.down_proj",
        ])
      for layer in layers {
        let isUp = layer.name.hasSuffix("up_proj")
        #expect(layer.count == 3 && layer.rows == (isUp ? 96 : 120))
        #expect(layer.columns == (isUp ? 40 : 32))
        #expect(layer.role.rawValue == "experts." + (isUp ? "up_proj" : "down_proj"))
        let values = try checkpoint.matrix(of: layer.name).decoded()
        // The second expert's first value.
        #expect(values[layer.rows / 3, 0] == (isUp ? 10_000 : 1280))
      }
      #expect(checkpoint.unusedTensors.isEmpty)
    }
  }

  /// A gap, or experts of two shapes, are layers by themselves.
  @Test func expertsThatMakeNoStackStayApart() throws {
    var builder = unknown()
    for expert in [0, 2] { builder.add("layers.0.experts.\(expert).up.weight", [32, 32]) }
    builder.add("layers.0.experts.0.down.weight", [32, 32])
    builder.add("layers.0.experts.1.down.weight", [64, 32])
    try builder.open { checkpoint in
      #expect(checkpoint.description.layers.count == 4)
      #expect(checkpoint.description.layers.allSatisfy { $0.count == 1 })
    }
  }

  /// gpt-oss and Llama 4 have inputs for rows, and names without `.weight`.
  @Test func transposedStacksAreTurned() throws {
    var builder = unknown()
    builder.add("model.layers.0.mlp.experts.gate_up_proj", [2, 32, 96])
    builder.add("model.layers.0.mlp.experts.gate_up_proj_bias", [2, 96])
    builder.add("model.layers.0.mlp.experts.down_proj", [2, 48, 32])
    try builder.open { checkpoint in
      let layer = try #require(
        checkpoint.description.layers.first { $0.name.hasSuffix("gate_up_proj") })
      #expect(checkpoint.description.layers.count == 2)
      try #require(layer.rows == 192 && layer.columns == 32 && layer.count == 2)
      let values = try checkpoint.matrix(of: layer.name).decoded()
      for (row, column) in [(0, 0), (0, 31), (95, 5), (96, 0), (191, 31)] {
        let (expert, output) = (row / 96, row % 96)
        #expect(values[row, column] == Float(expert * 32 * 96 + column * 96 + output))
      }
    }
  }

  /// GPT-2's matrices are stored with inputs for rows, but for the embedding.
  @Test func gpt2sMatricesAreTurned() throws {
    var builder = unknown("gpt2")
    builder.add("wte.weight", [64, 32])
    builder.add("h.0.attn.c_attn.weight", [32, 96])
    try builder.open { checkpoint in
      #expect(checkpoint.description.layers.map(\.rows) == [64, 96])
      #expect(checkpoint.description.layers.map(\.columns) == [32, 32])
      let values = try checkpoint.matrix(of: "h.0.attn.c_attn").decoded()
      #expect(values[1, 0] == 1 && values[0, 1] == 96)
    }
  }
}
