import Testing

@testable import Checkpoints

/// Text models inside models for images, and heads that a setting says nothing of.
struct WrappedModelTests {
  private static let sizes =
    "\"model_type\": \"llama\", \"hidden_size\": 32, \"intermediate_size\": 48, "
    + "\"num_hidden_layers\": 1, \"num_attention_heads\": 2, \"vocab_size\": 40"

  private func llama(
    config: String, prefix: String = "model.", head: (name: String, first: Float)? = nil
  ) -> SafetensorsBuilder {
    var builder = SafetensorsBuilder(config: config)
    builder.add("\(prefix)embed_tokens.weight", [40, 32])
    builder.add("\(prefix)norm.weight", [32])
    let block = "\(prefix)layers.0."
    for norm in ["input_layernorm", "post_attention_layernorm"] {
      builder.add("\(block)\(norm).weight", [32])
    }
    for part in ["q", "k", "v", "o"] {
      builder.add("\(block)self_attn.\(part)_proj.weight", [32, 32])
    }
    for part in ["gate", "up"] { builder.add("\(block)mlp.\(part)_proj.weight", [48, 32]) }
    builder.add("\(block)mlp.down_proj.weight", [32, 48])
    if let head { builder.add("\(head.name).weight", [40, 32], from: head.first) }
    return builder
  }

  /// Each with where the head stands.
  @Test(arguments: [
    ("language_model.model.", "language_model.lm_head"), ("model.language_model.", "lm_head"),
    ("model.", "lm_head"),
  ])
  func theTextModelIsTheModel(prefix: String, head: String) throws {
    let config =
      "\"model_type\": \"wrapper\", \"text_config\": {\(Self.sizes)}, "
      + "\"tie_word_embeddings\": false"
    var builder = llama(config: config, prefix: prefix, head: (head, 0))
    builder.add("vision_tower.layers.0.self_attn.q_proj.weight", [32, 32])
    try builder.open { checkpoint in
      let model = checkpoint.description
      #expect(model.abilities == .all && model.architecture == "llama")
      #expect(model.layers.count == 9 && model.hiddenSize == 32 && !model.tiesEmbeddings)
      #expect(model.layers.first?.name == "\(prefix)embed_tokens")
      #expect(model.layers.last?.name == head && model.layers.last?.role == .head)
      #expect(
        checkpoint.unusedTensors.map(\.name) == ["vision_tower.layers.0.self_attn.q_proj.weight"])
      let note = "1 tensors beside the text model are kept as they are"
      #expect(model.notes.contains(note) == (prefix != "model."))
    }
  }

  @Test func settingsOutsideTheTextModelAreNotItsOwn() throws {
    let outside = "\"model_type\": \"wrapper\", \(Self.sizes.replacing("llama", with: "other"))"
    let config =
      outside.replacing("\"model_type\": \"other\", ", with: "") + ", \"text_config\": {}"
    try llama(config: config).open { checkpoint in
      #expect(checkpoint.description.abilities.runningObstacle?.contains("\"wrapper\"") == true)
      #expect(checkpoint.description.layers.count == 8)
    }
  }

  /// A head that is there and differs is used, whatever the setting says; one that repeats the embedding is not.
  @Test func tiedHeadsThatDifferAreHeads() throws {
    let config = Self.sizes + ", \"tie_word_embeddings\": true"
    for (first, isTied) in [(Float(0), true), (1, false)] {
      try llama(config: config, head: ("lm_head", first)).open { checkpoint in
        let model = checkpoint.description
        #expect(model.abilities == .all && model.tiesEmbeddings == isTied)
        #expect(model.layers.contains { $0.role == .head } == !isTied)
        let embedding = try #require(model.layers.first { $0.role == .embedTokens })
        #expect(embedding.site == (isTied ? .head : nil))
      }
    }
    try llama(config: Self.sizes + ", \"tie_word_embeddings\": false").open { checkpoint in
      #expect(
        checkpoint.description.abilities.runningObstacle
          == "tensor lm_head.weight: is missing; get the complete model from its source")
    }
  }
}
