import JSON
import Testing

@testable import Checkpoints

/// What blocks keep of a sequence, by the settings of models that do not run.
///
/// Bytes are those that llama.cpp (llama-cpp-python 0.3.36) says at its start: `llama_kv_cache` and `llama_memory_recurrent` of
/// tiny models of these families with 1024 cells in F16, or follow from the papers and published configurations.
struct ServingFactsTests {
  private func facts(_ json: String) throws -> ServingFacts? {
    let root = try #require(try JSONReader.read(Array("{\(json)}".utf8)).object)
    return ServingReader(config: JSONFile(file: "config.json", root: root)).facts()
  }

  /// Bytes of all keys and values of one position in F16.
  private func bytesAPosition(_ facts: ServingFacts) -> Int {
    facts.blocks.reduce(0) { $0 + 2 * $1.valuesAPosition }
  }

  @Test func deepSeekKeepsOneLatentRow() throws {
    let v3 = try #require(
      try facts(
        """
        "model_type": "deepseek_v3", "hidden_size": 7168, "num_hidden_layers": 61, "num_attention_heads": 128,
        "num_key_value_heads": 128, "kv_lora_rank": 512, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128,
        "v_head_dim": 128, "vocab_size": 129280, "num_experts_per_tok": 8, "max_position_embeddings": 163840
        """))
    // 61 blocks of 512 + 64 values: 70,272 bytes a token, where full keys and values would take 4,997,120.
    #expect(bytesAPosition(v3) == 70_272)
    #expect(v3.blocks.allSatisfy { $0.isLatent && $0.keyHeads == 1 })
    #expect(
      v3.chosenExperts == 8 && v3.contextLength == 163_840 && v3.blocks[0].queryWidth == 24_576)
    let tiny = try #require(
      try facts(
        """
        "hidden_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4, "kv_lora_rank": 32,
        "qk_rope_head_dim": 16, "qk_nope_head_dim": 32, "v_head_dim": 32
        """))
    // llama.cpp: 0.28 MiB for 1024 cells of 3 layers, all of it keys.
    #expect(bytesAPosition(tiny) * 1024 == 294_912)
  }

  @Test func gptOssSeesAWindowInEveryOtherBlock() throws {
    let types = (0..<24).map { $0 % 2 == 0 ? "\"sliding_attention\"" : "\"full_attention\"" }
    let facts = try #require(
      try facts(
        """
        "hidden_size": 2880, "num_hidden_layers": 24, "num_attention_heads": 64, "num_key_value_heads": 8,
        "head_dim": 64, "sliding_window": 128, "layer_types": [\(types.joined(separator: ", "))],
        "num_experts_per_tok": 4, "vocab_size": 201088
        """))
    #expect(facts.blocks.map(\.window) == (0..<24).map { $0 % 2 == 0 ? 128 : nil })
    #expect(facts.blocks.allSatisfy { $0.valuesAPosition == 1024 })
  }

  @Test func gemma4HasOtherHeadsInGlobalBlocksAndSharesLastOnes() throws {
    let types =
      "\"layer_types\": [\(["sliding", "sliding", "sliding", "full"].map { "\"\($0)_attention\"" }.joined(separator: ", "))]"
    let shape =
      """
      "hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32,
      "sliding_window": 8, \(types)
      """
    // llama.cpp: 0.56 MiB in 768 cells of the 3 with a window, 0.50 MiB in 1024 cells of the other.
    let vision = try #require(
      try facts("\(shape), \"per_layer_config\": {\"3\": {\"head_dim\": 64}}"))
    #expect(vision.blocks.map(\.valuesAPosition) == [128, 128, 128, 256])
    #expect(vision.blocks.map(\.window) == [8, 8, 8, nil])
    let published = try #require(
      try facts("\(shape), \"global_head_dim\": 64, \"num_global_key_value_heads\": 1"))
    #expect(published.blocks.map(\.valuesAPosition) == [128, 128, 128, 128])
    let sharing = try #require(try facts("\(shape), \"num_kv_shared_layers\": 2"))
    #expect(sharing.blocks.map(\.valuesAPosition) == [128, 128, 0, 0])
  }

  @Test func linearBlocksKeepAState() throws {
    let types =
      "\"layer_types\": [\"linear_attention\", \"linear_attention\", \"linear_attention\", \"full_attention\"]"
    let qwen = try #require(
      try facts(
        """
        "hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32,
        "linear_conv_kernel_dim": 4, "linear_key_head_dim": 32, "linear_num_key_heads": 2,
        "linear_num_value_heads": 4, "linear_value_head_dim": 32, \(types)
        """))
    // llama.cpp: R 0.01 and S 0.05 MiB in F32 for three blocks: 3 x 256 and 32 x 128 values each.
    #expect(qwen.blocks.map(\.stateValues) == [4864, 4864, 4864, 0])
    #expect(qwen.blocks.map(\.valuesAPosition) == [0, 0, 0, 128])
    let mamba = try #require(
      try facts(
        """
        "hidden_size": 128, "num_hidden_layers": 3, "num_heads": 8, "head_dim": 32, "state_size": 16, "n_groups": 1,
        "conv_kernel": 4
        """))
    // llama.cpp: R 0.01 and S 0.05 MiB for three blocks: 3 x (256 + 32) and 16 x 256 values.
    #expect(mamba.blocks.map(\.stateValues) == [4960, 4960, 4960])
    let lfm = try #require(
      try facts(
        """
        "hidden_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
        "conv_L_cache": 3, "layer_types": ["conv", "full_attention", "conv"]
        """))
    #expect(lfm.blocks.map(\.stateValues) == [256, 0, 256])
    #expect(lfm.blocks.map(\.valuesAPosition) == [0, 128, 0])
  }

  @Test func patternsAreReadInEveryWay() throws {
    let nemotron = try #require(
      try facts(
        """
        "hidden_size": 128, "hybrid_override_pattern": "M-*E", "num_attention_heads": 4, "num_key_value_heads": 2,
        "head_dim": 32, "mamba_num_heads": 8, "mamba_head_dim": 32, "ssm_state_size": 16, "n_groups": 2
        """))
    #expect(nemotron.blocks.map(\.valuesAPosition) == [0, 0, 128, 0])
    #expect(nemotron.blocks[0].stateValues == 256 * 16 + 3 * (256 + 64))
    let llama4 = try #require(
      try facts(
        """
        "hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32,
        "attention_chunk_size": 16, "no_rope_layers": [1, 1, 1, 0]
        """))
    #expect(llama4.blocks.map(\.window) == [16, 16, 16, nil])
    let falcon = try #require(
      try facts(
        """
        "hidden_size": 4544, "num_hidden_layers": 32, "num_attention_heads": 71, "multi_query": true
        """))
    #expect(falcon.blocks[0].valuesAPosition == 128)
  }

  @Test func whatIsNotSaidIsNotKnown() throws {
    #expect(try facts("\"hidden_size\": 128") == nil)
    #expect(try facts("\"num_hidden_layers\": 3, \"num_attention_heads\": 4") == nil)
    let shape = "\"hidden_size\": 128, \"num_hidden_layers\": 1, \"num_attention_heads\": 4"
    #expect(try facts("\(shape), \"layer_types\": [\"waves\"]") == nil)
    #expect(try facts("\(shape), \"layer_types\": []") == nil)
    #expect(
      try facts(
        "\"hidden_size\": 128, \"num_hidden_layers\": 100000000, \"num_attention_heads\": 4") == nil
    )
    #expect(try facts("\(shape), \"layer_types\": [\"linear_attention\"]") == nil)
  }
}
