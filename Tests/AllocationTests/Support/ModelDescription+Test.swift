import Checkpoints
import Tensors
import TestSupport

extension ModelDescription {
  /// A Llama model of the given shape that is nowhere on disk.
  static func llama(
    hidden: Int, intermediate: Int, blocks: Int, heads: Int, keyValueHeads: Int, headSize: Int,
    vocabulary: Int, tiesEmbeddings: Bool
  ) -> ModelDescription {
    func layer(_ role: Role, _ block: Int?, _ rows: Int, _ columns: Int) -> LayerDescription {
      let part = [.gate, .up, .down].contains(role) ? "mlp" : "self_attn"
      let name =
        switch role {
        case .embedTokens: "model.embed_tokens"
        case .head: "lm_head"
        default: "model.layers.\(block ?? 0).\(part).\(role.rawValue)"
        }
      return .ofLlama(
        name, role: role, block: block, rows: rows, columns: columns, type: .float16,
        bytes: 2 * rows * columns, tiesEmbeddings: tiesEmbeddings)
    }
    var layers = [layer(.embedTokens, nil, vocabulary, hidden)]
    for block in 0..<blocks {
      layers += [
        layer(.query, block, heads * headSize, hidden),
        layer(.key, block, keyValueHeads * headSize, hidden),
        layer(.value, block, keyValueHeads * headSize, hidden),
        layer(.attentionOutput, block, hidden, heads * headSize),
        layer(.gate, block, intermediate, hidden), layer(.up, block, intermediate, hidden),
        layer(.down, block, hidden, intermediate),
      ]
    }
    if !tiesEmbeddings { layers.append(layer(.head, nil, vocabulary, hidden)) }
    let norms = (2 * blocks + 1) * hidden
    return ModelDescription(
      name: "test", path: "/nowhere", format: .huggingFace, architecture: "llama",
      blueprint: .llama(
        hidden: hidden, inner: intermediate, blocks: blocks, heads: heads,
        keyHeads: keyValueHeads, headSize: headSize, vocabulary: vocabulary, context: 128,
        tiesEmbeddings: tiesEmbeddings),
      parameterCount: layers.reduce(norms) { $0 + $1.parameters },
      tensorBytes: layers.reduce(2 * norms) { $0 + $1.bytes }, fingerprint: "0123",
      layers: layers)
  }
}
