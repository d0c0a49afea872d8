import Checkpoints
import Tensors
import Tokenization

/// Files of checkpoints.
extension FuzzTarget {
  private static let small = SmallModel()
  private static let weights = ScratchFolder("weights", files: ["config.json": small.config])
  private static let shards = ScratchFolder(
    "shards",
    files: [
      "config.json": small.config, "model-00001-of-00002.safetensors": small.shards[0],
      "model-00002-of-00002.safetensors": small.shards[1],
    ])
  private static let configured = ScratchFolder(
    "config", files: ["model.safetensors": small.weights])
  private static let spoken = ScratchFolder(
    "tokenizer", files: ["config.json": small.config, "model.safetensors": small.weights])
  private static let single = ScratchFolder("single")

  static func safetensors(_ bytes: [UInt8]) {
    weights.write(bytes, to: "model.safetensors")
    open(weights.path, readsLayers: true)
  }

  static func index(_ bytes: [UInt8]) {
    shards.write(bytes, to: "model.safetensors.index.json")
    open(shards.path, readsLayers: true)
  }

  static func config(_ bytes: [UInt8]) {
    configured.write(bytes, to: "config.json")
    open(configured.path, readsLayers: true)
  }

  static func gguf(_ bytes: [UInt8]) {
    let path = single.write(bytes, to: "m.gguf")
    open(path, readsLayers: true, readsTokens: true)
  }

  static func tokenizer(_ bytes: [UInt8]) {
    spoken.write(bytes, to: "tokenizer.json")
    open(spoken.path, readsTokens: true)
  }

  static func imatrix(_ bytes: [UInt8]) {
    guard let matrix = try? ImportanceMatrix(path: single.write(bytes, to: "imatrix.gguf")) else {
      return
    }
    // What is written is read again as the same.
    let path = single.write(matrix.bytes, to: "again.gguf")
    let again = try? ImportanceMatrix(path: path)
    require(again?.entries.keys == matrix.entries.keys, "an imatrix changes when it is written")
  }

  private static func open(_ path: String, readsLayers: Bool = false, readsTokens: Bool = false) {
    guard let checkpoint = try? Checkpoint.open(path) else { return }
    for layer in checkpoint.description.layers where readsLayers {
      _ = try? checkpoint.matrix(of: layer.name)
    }
    guard readsTokens, let definition = try? checkpoint.tokenizerDefinition(),
      let tokenizer = try? Tokenizer(definition)
    else { return }
    for text in ["hello world, 123!\n", "", " <|im_start|>\u{301}漢字 aaaaaaaa"] {
      let ids = tokenizer.encode(text, allowsSpecialTokens: true)
      require(ids.allSatisfy { (0..<tokenizer.vocabularySize).contains($0) }, "an id too large")
      _ = tokenizer.decode(ids, skipsSpecialTokens: false)
    }
    _ = try? tokenizer.encodePrompt("hello", raw: false)
  }
}
