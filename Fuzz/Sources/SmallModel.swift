/// The smallest Llama: one block, hidden size 4, three tokens.
struct SmallModel {
  let config = Array(
    """
    {"model_type": "llama", "hidden_size": 4, "intermediate_size": 8, "num_hidden_layers": 1,
    "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 300, "rms_norm_eps": 1e-5,
    "max_position_embeddings": 16, "tie_word_embeddings": true, "torch_dtype": "float16"}
    """.utf8)

  private let tensors: [(name: String, shape: [Int])] = [
    ("model.embed_tokens.weight", [300, 4]), ("model.norm.weight", [4]),
    ("model.layers.0.input_layernorm.weight", [4]),
    ("model.layers.0.post_attention_layernorm.weight", [4]),
    ("model.layers.0.self_attn.q_proj.weight", [4, 4]),
    ("model.layers.0.self_attn.k_proj.weight", [2, 4]),
    ("model.layers.0.self_attn.v_proj.weight", [2, 4]),
    ("model.layers.0.self_attn.o_proj.weight", [4, 4]),
    ("model.layers.0.mlp.gate_proj.weight", [8, 4]),
    ("model.layers.0.mlp.up_proj.weight", [8, 4]),
    ("model.layers.0.mlp.down_proj.weight", [4, 8]),
  ]

  var weights: [UInt8] { Self.file(tensors) }
  var shards: [[UInt8]] { [Self.file(Array(tensors.prefix(5))), Self.file(Array(tensors[5...]))] }

  /// A safetensors file of zeros in half precision.
  private static func file(_ tensors: [(name: String, shape: [Int])]) -> [UInt8] {
    var (members, offset): ([String], Int) = ([], 0)
    for (name, shape) in tensors {
      let end = offset + 2 * shape.reduce(1, *)
      members.append(
        "\"\(name)\": {\"dtype\": \"F16\", \"shape\": \(shape), \"data_offsets\": [\(offset), \(end)]}"
      )
      offset = end
    }
    let header = Array("{\(members.joined(separator: ", "))}".utf8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> ($0 * 8)) }
    return length + header + Array(repeating: 0, count: offset)
  }
}
