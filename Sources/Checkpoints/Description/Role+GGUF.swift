extension Role {
  /// What llama.cpp calls the tensor, without block and `.weight`.
  var ggufName: String {
    switch self {
    case .embedTokens: "token_embd"
    case .query: "attn_q"
    case .key: "attn_k"
    case .value: "attn_v"
    case .attentionOutput: "attn_output"
    case .gate: "ffn_gate"
    case .up: "ffn_up"
    case .down: "ffn_down"
    case .head: "output"
    }
  }
}

extension LayerDescription {
  /// llama.cpp's name of the tensor, for example `blk.12.ffn_down.weight`.
  public var ggufName: String {
    (block.map { "blk.\($0)." } ?? "") + role.ggufName + ".weight"
  }
}
