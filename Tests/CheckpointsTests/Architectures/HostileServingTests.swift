import Testing

@testable import Checkpoints

/// Settings of models that do not run and whose sizes cannot be: such models open, and what serving takes is not known or small
/// enough to be computed with.
struct HostileServingTests {
  typealias Values = [(key: String, value: GGUFBuilder.Value)]

  private static let shape: Values = [
    ("embedding_length", .uint32(64)), ("block_count", .uint32(4)),
    ("context_length", .uint32(128)),
    ("attention.head_count", .uint32(4)), ("attention.head_count_kv", .uint32(2)),
  ]
  private static let sized: Values =
    shape + [
      ("attention.key_length", .uint32(16)), ("attention.value_length", .uint32(16)),
      ("attention.key_length_swa", .uint32(8)), ("attention.value_length_swa", .uint32(8)),
      ("attention.sliding_window", .uint32(32)), ("attention.sliding_window_pattern", .uint32(2)),
      ("attention.shared_kv_layers", .uint32(1)), ("expert_used_count", .uint32(2)),
      ("nextn_predict_layers", .uint32(1)), ("vocab_size", .uint32(32)),
    ]
  private static let recurrent: Values =
    shape + [
      ("full_attention_interval", .uint32(2)), ("ssm.conv_kernel", .uint32(4)),
      ("ssm.inner_size", .uint32(64)), ("ssm.state_size", .uint32(16)),
      ("ssm.group_count", .uint32(2)),
    ]
  private static let convolving: Values =
    shape + [("full_attention_interval", .uint32(2)), ("shortconv.l_cache", .uint32(3))]
  private static let latent: Values =
    shape + [
      ("attention.kv_lora_rank", .uint32(32)), ("rope.dimension_count", .uint32(16)),
      ("attention.indexer.key_length", .uint32(8)), ("attention.key_length_mla", .uint32(24)),
    ]

  private func serving(_ values: Values) throws -> ServingFacts? {
    var builder = GGUFBuilder()
    builder.metadata = [("general.architecture", .string("martian"))]
    for (key, value) in values { builder.set("martian.\(key)", value) }
    builder.add("token_embd.weight", [64, 32])
    builder.add("blk.0.attn_q.weight", [64, 64])
    return try TestFiles.withDirectory { directory in
      let path = "\(directory)/model.gguf"
      try TestFiles.write(builder.bytes, to: path)
      let model = try Checkpoint.open(path).description
      #expect(model.abilities.names == ["weights"])
      return model.serving
    }
  }

  private func serving(_ config: String) throws -> ServingFacts? {
    var builder = SafetensorsBuilder(config: "\"model_type\": \"martian\", \(config)")
    builder.add("model.layers.0.mixer.in_proj.weight", [64, 64])
    return try builder.open { $0.description.serving }
  }

  private func expectModest(_ facts: ServingFacts?, _ comment: Comment) {
    for block in facts?.blocks ?? [] {
      let sizes = [block.valuesAPosition, block.queryWidth, block.stateValues, block.window ?? 1]
      #expect(sizes.allSatisfy { (0...1 << 30).contains($0) }, comment)
    }
  }

  private static let wrong: [GGUFBuilder.Value] = [
    .uint32(0), .int32(-1), .int32(.min), .uint32(1 << 20), .uint32(1 << 31), .uint64(1 << 62),
    .uint64(.max), .raw(11, little(Int64.min)), .string("8"), .float32(.nan),
    .raw(9, little(UInt32(11)) + little(UInt64(2)) + little(Int64.max) + little(Int64.min)),
    .raw(9, little(UInt32(4)) + little(UInt64(0))),
  ]

  @Test(arguments: [sized, recurrent, convolving, latent])
  func ggufModelsOpen(values: Values) throws {
    #expect(try serving(values)?.blocks.isEmpty == false)
    for (key, _) in values {
      for value in Self.wrong {
        let changed = values.map { $0.key == key ? (key: key, value: value) : $0 }
        expectModest(try serving(changed), "\(key): \(value)")
      }
      expectModest(try serving(values.filter { $0.key != key }), "without \(key)")
    }
    for value in Self.wrong {
      let changed = values.map { $0.key == "block_count" ? $0 : (key: $0.key, value: value) }
      expectModest(try serving(changed), "all: \(value)")
    }
  }

  @Test func ggufSizesThatCannotBeAreNotKnown() throws {
    func changed(_ key: String, _ value: GGUFBuilder.Value) throws -> ServingFacts? {
      try serving(Self.sized.map { $0.key == key ? (key: key, value: value) : $0 })
    }
    for value in [.uint32(0), .int32(-1), .uint64(1 << 62)] as [GGUFBuilder.Value] {
      #expect(try changed("attention.key_length_swa", value) == nil)
      #expect(try changed("attention.value_length_swa", value) == nil)
    }
    // An interval of nothing says nothing.
    let never: Values = Self.recurrent.map {
      $0.key == "full_attention_interval" ? (key: $0.key, value: .uint32(0)) : $0
    }
    #expect(try serving(never)?.blocks.map(\.valuesAPosition) == [64, 64, 64, 64])
  }

  private static let configs: [[(key: String, value: String)]] = [
    [
      ("num_key_value_heads", "2"), ("head_dim", "16"), ("v_head_dim", "16"),
      ("sliding_window", "32"),
    ],
    [
      (
        "layer_types",
        "[\"sliding_attention\", \"full_attention\", \"full_attention\", \"full_attention\"]"
      ),
      ("sliding_window", "32"), ("global_head_dim", "16"), ("num_global_key_value_heads", "2"),
      ("num_kv_shared_layers", "1"),
    ],
    [("per_layer_config", "{\"0\": {\"head_dim\": @, \"num_key_value_heads\": @}}")],
    [
      ("full_attention_interval", "2"), ("linear_num_key_heads", "2"),
      ("linear_num_value_heads", "2"),
      ("linear_key_head_dim", "16"), ("linear_value_head_dim", "16"),
      ("linear_conv_kernel_dim", "4"),
    ],
    [
      ("linear_attn_config", "{\"full_attn_layers\": [1], \"num_heads\": @, \"head_dim\": @}"),
      ("linear_conv_kernel_dim", "4"),
    ],
    [
      ("hybrid_override_pattern", "\"M*M*\""), ("mamba_num_heads", "2"), ("mamba_head_dim", "16"),
      ("ssm_state_size", "16"), ("n_groups", "2"), ("conv_kernel", "4"),
    ],
    [
      ("kv_lora_rank", "32"), ("qk_rope_head_dim", "16"), ("qk_nope_head_dim", "16"),
      ("index_head_dim", "8"),
    ],
    [("full_attn_idxs", "[0, 2]"), ("conv_L_cache", "3")],
    [("attention_chunk_size", "16"), ("no_rope_layers", "[1, 1, 1, 0]")],
  ]

  @Test(arguments: configs) func configModelsOpen(settings: [(key: String, value: String)]) throws {
    let all =
      [("hidden_size", "64"), ("num_hidden_layers", "4"), ("num_attention_heads", "4")] + settings
    func text(_ pairs: [(key: String, value: String)], in place: String = "8") -> String {
      pairs.map { "\"\($0.key)\": \($0.value.replacing("@", with: place))" }.joined(separator: ", ")
    }
    #expect(try serving(text(all))?.blocks.count == 4)
    for wrong in [
      "0", "-1", "1048576", "2147483648", "4611686018427387904", "-9223372036854775808", "1e30",
      "null",
    ] {
      for (key, _) in all {
        let changed = all.map { $0.key == key ? (key: key, value: wrong) : $0 }
        expectModest(try serving(text(changed, in: wrong)), "\(key): \(wrong)")
      }
      let words = ["num_hidden_layers", "layer_types", "hybrid_override_pattern", "full_attn_idxs"]
      let changed = all.map {
        words.contains($0.key) || $0.value.contains("@") ? $0 : (key: $0.key, value: wrong)
      }
      expectModest(try serving(text(changed, in: wrong)), "all: \(wrong)")
    }
  }
}
