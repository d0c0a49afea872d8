import Tensors

@testable import Checkpoints

extension Blueprint {
  /// The blueprint of a Llama whose blocks are alike.
  public static func llama(
    hidden: Int, inner: Int, blocks: Int, heads: Int, keyHeads: Int, headSize: Int? = nil,
    vocabulary: Int, context: Int, theta: Double = 10_000, scaling: RopeScaling? = nil,
    epsilon: Double = 1e-5, tiesEmbeddings: Bool
  ) -> Blueprint {
    let size = headSize ?? hidden / heads
    let block = BlockFacts(
      mixer: .attention(
        AttentionFacts(
          headCount: heads, keyValueHeadCount: keyHeads, headSize: size,
          scale: 1 / Float(size).squareRoot(), softcap: nil, window: nil, rope: 0,
          queryKeyNorm: .none, isFused: false, queryGrowth: nil)),
      feedForward: .dense(
        DenseFacts(innerSize: inner, activation: .silu, isGated: true, isFused: false)),
      norms: .before, residualScale: 1, biases: [])
    let rope = RopeFacts(pairing: .halves, theta: theta, rotatedSize: size)
    return Blueprint(
      hiddenSize: hidden, vocabularySize: vocabulary, contextLength: context,
      normEpsilon: epsilon, norm: .rms, embeddingScale: 1, logitScale: 1, logitSoftcap: nil,
      ropes: [scaling.map { rope.stretched(by: $0) } ?? rope],
      blocks: Array(repeating: block, count: blocks), tiesEmbeddings: tiesEmbeddings,
      prefix: "model.", headName: "lm_head")
  }
}

extension ModelDescription {
  /// The attention of the first block.
  public var attention: AttentionFacts? { blueprint?.attention }
  /// The inner size of the first block.
  public var innerSize: Int? { blueprint?.blocks.first?.feedForward.innerSize }
}

extension LayerDescription {
  /// A layer of a Llama, which reads where its role says.
  public static func ofLlama(
    _ name: String, role: Role, block: Int?, rows: Int, columns: Int, type: ElementType,
    bytes: Int, tiesEmbeddings: Bool
  ) -> LayerDescription {
    let isHead = role == .embedTokens && tiesEmbeddings
    let fused: String? =
      switch role {
      case .query, .key, .value: "qkv_proj"
      case .gate, .up: "gate_up_proj"
      default: nil
      }
    let parent = name.lastIndex(of: ".").map { name[..<$0] } ?? ""
    return LayerDescription(
      name: name, role: role, block: block, ggufName: ggufName(role, block),
      site: isHead ? .head : InputSite(role: role, block: block),
      fusion: fused.map { "\(parent).\($0)" }, rows: rows, columns: columns, type: type,
      bytes: bytes)
  }

  private static func ggufName(_ role: Role, _ block: Int?) -> String {
    let parts: [Part] = [
      .embedding, .query, .key, .value, .attentionOutput, .gate, .up, .down, .head,
    ]
    let name = parts.first { $0.role == role }?.ggufName ?? role.rawValue
    return (block.map { "blk.\($0)." } ?? "") + name + ".weight"
  }
}
