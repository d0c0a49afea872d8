import FoundationEssentials
import Tensors
import TestSupport

/// A Llama model of random weights in a temporary directory, a few kilobytes, gone with this object.
///
/// Its tokens are the 256 bytes and two special ones that end a text and a turn.
final class TinyModel {
  static let hidden = 32
  static let intermediate = 64
  static let blocks = 2
  static let vocabulary = 258
  /// Layers of it that can be compressed, the embedding (which is the head too) among them.
  static let layers = 1 + 7 * blocks

  let path: String

  /// A model with a head of values for both heads of queries, or for each, and with these weights of a block's norms;
  /// a Mixtral with two experts a token where there are experts, the last of which no token reaches.
  init(
    seed: UInt64 = 1, contextLength: Int = 128, keyValueHeads: Int = 1, experts: Int = 0,
    norm: (Int) -> Float = { _ in 1 }
  ) throws {
    let directory = FileManager.default.temporaryDirectory
      .appending(path: "vise-tiny-\(UUID().uuidString)")
    path = directory.path
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let files: [(String, Data)] = [
      ("config.json", Data(Self.config(contextLength, keyValueHeads, experts).utf8)),
      ("tokenizer.json", Data(Self.tokenizer.utf8)),
      ("tokenizer_config.json", Data(Self.tokenizerConfig.utf8)),
      ("model.safetensors", Self.weights(seed, keyValueHeads, experts, norm)),
    ]
    for (name, content) in files { try content.write(to: directory.appending(path: name)) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file beside the model and returns its path.
  func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> String {
    let file = path + "/" + name
    try Data(bytes).write(to: URL(filePath: file))
    return file
  }

  /// Writes a text beside the model and returns its path.
  func write(_ text: String, to name: String) throws -> String {
    try write(text.utf8, to: name)
  }

  private static func config(
    _ contextLength: Int, _ keyValueHeads: Int, _ experts: Int
  ) -> String {
    let kind =
      experts == 0
      ? "\"architectures\": [\"LlamaForCausalLM\"], \"model_type\": \"llama\""
      : "\"architectures\": [\"MixtralForCausalLM\"], \"model_type\": \"mixtral\", "
        + "\"num_local_experts\": \(experts), \"num_experts_per_tok\": 2"
    return """
      {\(kind), "hidden_act": "silu",
       "hidden_size": \(hidden), "intermediate_size": \(intermediate),
       "num_hidden_layers": \(blocks), "num_attention_heads": 2, "num_key_value_heads": \(keyValueHeads),
       "vocab_size": \(vocabulary), "max_position_embeddings": \(contextLength), "rope_theta": 10000.0,
       "rms_norm_eps": 1e-5, "tie_word_embeddings": true, "torch_dtype": "float32",
       "bos_token_id": 256, "eos_token_id": 256}
      """
  }

  private static let tokenizerConfig = """
    {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|end|>",
     "chat_template": "{% for message in messages %}{{ message['content'] + '<|turn|>' }}\
    {% endfor %}"}
    """

  /// A byte-level BPE without merges: each byte is a token.
  private static var tokenizer: String {
    let vocabulary = (0..<256).map { byte -> String in
      let character = characterOfByte[byte]
      let isSpecial = character == "\"" || character == "\\"
      return "\"\(isSpecial ? "\\" : "")\(character)\": \(byte)"
    }
    let added = [("<|end|>", 256), ("<|turn|>", 257)].map { text, id in
      """
      {"id": \(id), "content": "\(text)", "special": true, "normalized": false, "lstrip": false,
       "rstrip": false, "single_word": false}
      """
    }
    return """
      {"version": "1.0", "added_tokens": [\(added.joined(separator: ", "))], "normalizer": null,
       "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
                         "use_regex": true},
       "post_processor": null,
       "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true,
                   "use_regex": true},
       "model": {"type": "BPE", "unk_token": null, "byte_fallback": false,
                 "vocab": {\(vocabulary.joined(separator: ", "))}, "merges": []}}
      """
  }

  /// GPT-2's characters for the bytes: themselves where they print, else from U+0100 on.
  private static var characterOfByte: [Character] {
    var next: UInt32 = 0x100
    return (0..<UInt32(256)).map { byte in
      if (33...126).contains(byte) || (161...172).contains(byte) || byte >= 174 {
        return Character(Unicode.Scalar(UInt8(byte)))
      }
      defer { next += 1 }
      return Character(Unicode.Scalar(next) ?? " ")
    }
  }

  /// Names of the gate, up and down layers of a block: one of each, or of each expert.
  private static func mlps(
    _ prefix: String, _ experts: Int
  ) -> [(gate: String, up: String, down: String)] {
    guard experts > 0 else {
      let names = ["gate", "up", "down"].map { "\(prefix)mlp.\($0)_proj.weight" }
      return [(names[0], names[1], names[2])]
    }
    return (0..<experts).map { expert in
      let names = [1, 3, 2].map { "\(prefix)block_sparse_moe.experts.\(expert).w\($0).weight" }
      return (names[0], names[1], names[2])
    }
  }

  /// A router's weights: experts in pairs of opposite logits, of which two are always at least 0, what the last one has.
  ///
  /// - Precondition: an odd number of experts, at least 5.
  private static func router(_ experts: Int, _ random: (Int) -> Float) -> (Int) -> Float {
    precondition(experts >= 5 && experts % 2 == 1, "two pairs and one more")
    let values = (0..<experts / 2 * hidden).map(random)
    return { index in
      let (row, column) = (index / hidden, index % hidden)
      guard row < experts - 1 else { return 0 }
      return values[row / 2 * hidden + column] * (row % 2 == 0 ? 1 : -1)
    }
  }

  private static func weights(
    _ seed: UInt64, _ keyValueHeads: Int, _ experts: Int, _ norm: (Int) -> Float
  ) -> Data {
    var generator = SeededRandom(seed: seed)
    var header: [String] = []
    var values: [Float] = []
    func add(_ name: String, _ shape: [Int], _ value: (Int) -> Float) {
      let start = values.count * 4
      for index in 0..<shape.reduce(1, *) { values.append(value(index)) }
      header.append(
        "\"\(name)\": {\"dtype\": \"F32\", \"shape\": \(shape), "
          + "\"data_offsets\": [\(start), \(values.count * 4)]}")
    }
    func random(_: Int) -> Float { Float.random(in: -0.5...0.5, using: &generator) }
    add("model.embed_tokens.weight", [vocabulary, hidden]) { index in
      // Special tokens get the logit 0, which some byte always exceeds: answers do not end early.
      index < 256 * hidden ? random(index) : 0
    }
    for block in 0..<blocks {
      let prefix = "model.layers.\(block)."
      let shared = hidden / 2 * keyValueHeads
      for (name, rows) in [("q", hidden), ("k", shared), ("v", shared), ("o", hidden)] {
        add("\(prefix)self_attn.\(name)_proj.weight", [rows, hidden], random)
      }
      if experts > 0 {
        add("\(prefix)block_sparse_moe.gate.weight", [experts, hidden], router(experts, random))
      }
      for (gate, up, down) in mlps(prefix, experts) {
        add(gate, [intermediate, hidden], random)
        add(up, [intermediate, hidden], random)
        add(down, [hidden, intermediate], random)
      }
      add("\(prefix)input_layernorm.weight", [hidden], norm)
      add("\(prefix)post_attention_layernorm.weight", [hidden], norm)
    }
    add("model.norm.weight", [hidden]) { _ in 1 }
    let json = "{" + header.joined(separator: ", ") + "}"
    let padding = String(repeating: " ", count: (8 - json.utf8.count % 8) % 8)
    var data = Data()
    withLittleEndianBytes(of: UInt64(json.utf8.count + padding.utf8.count)) { data.append($0) }
    data.append(contentsOf: (json + padding).utf8)
    for value in values { withLittleEndianBytes(of: value.bitPattern) { data.append($0) } }
    return data
  }

  private static func withLittleEndianBytes<Number: FixedWidthInteger>(
    of number: Number, _ body: (UInt8) -> Void
  ) {
    for byte in 0..<Number.bitWidth / 8 {
      body(UInt8(truncatingIfNeeded: number >> Number(8 * byte)))
    }
  }
}
