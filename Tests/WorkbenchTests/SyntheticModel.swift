import TestSupport
import Checkpoints
import Compression
import Tensors

@testable import Workbench

extension ModelDescription {
  /// A Llama like SmolLM2-135M with fewer blocks: no weights, only shapes.
  static func synthetic(
    blocks: Int = 3, hidden: Int = 576, name: String = "Tiny", path: String? = nil
  ) -> Self {
    let intermediate = hidden * 8 / 3
    let vocabulary = 49_152
    var layers = [
      layer("model.embed_tokens", .embedTokens, nil, vocabulary, hidden)
    ]
    for block in 0..<blocks {
      let prefix = "model.layers.\(block)"
      layers += [
        layer("\(prefix).self_attn.q_proj", .query, block, hidden, hidden),
        layer("\(prefix).self_attn.k_proj", .key, block, hidden / 3, hidden),
        layer("\(prefix).self_attn.v_proj", .value, block, hidden / 3, hidden),
        layer("\(prefix).self_attn.o_proj", .attentionOutput, block, hidden, hidden),
        layer("\(prefix).mlp.gate_proj", .gate, block, intermediate, hidden),
        layer("\(prefix).mlp.up_proj", .up, block, intermediate, hidden),
        layer("\(prefix).mlp.down_proj", .down, block, hidden, intermediate),
      ]
    }
    let parameters = layers.reduce(0) { $0 + $1.parameters } + (2 * blocks + 1) * hidden
    return ModelDescription(
      name: name, path: path ?? "/models/\(name)", format: .huggingFace, architecture: "llama",
      blueprint: .llama(
        hidden: hidden, inner: intermediate, blocks: blocks, heads: 9, keyHeads: 3,
        vocabulary: vocabulary, context: 2048, tiesEmbeddings: true),
      parameterCount: parameters, tensorBytes: parameters * 2, fingerprint: "abc", layers: layers)
  }

  private static func layer(
    _ name: String, _ role: Role, _ block: Int?, _ rows: Int, _ columns: Int
  ) -> LayerDescription {
    .ofLlama(
      name, role: role, block: block, rows: rows, columns: columns, type: .bfloat16,
      bytes: rows * columns * 2, tiesEmbeddings: true)
  }
}

extension LayerReport {
  /// A report such as the engine would send, with bell-shaped histograms.
  static func synthetic(
    _ layer: String, in model: OpenModel, standing: Standing = .exact, sqnr: Double? = 21.5
  ) -> LayerReport {
    let index = model.index(ofLayer: layer) ?? 0
    let scheme = model.schemes[index]
    let size = LayerSize.predicted(
      for: model.shapes[index], scheme: scheme, original: model.layers[index].bytes)
    let bell = (0..<64).map { bin in
      let x = (Double(bin) - 31.5) / 10
      return Int(10_000 / (1 + x * x * x * x))
    }
    return LayerReport(
      layer: layer, scheme: scheme, standing: standing, size: size,
      bitsPerWeight: Double(size.total) * 8 / Double(model.layers[index].parameters),
      error: WeightError(
        mse: 1.5e-5, sqnr: sqnr, sqnrBand: standing == .exact ? 0 : 0.4, cosine: 0.99641,
        maxError: 0.0312),
      zeroFraction: 0.031,
      before: Histogram(lower: -0.25, upper: 0.25, counts: bell),
      after: Histogram(lower: -0.25, upper: 0.25, counts: bell.map { $0 * 9 / 10 }),
      difference: Histogram(lower: -0.04, upper: 0.04, counts: bell),
      worstChannels: (0..<12).map {
        ChannelError(
          channel: 7 * $0 + 3, mse: 4e-5 / Double($0 + 1), sqnr: 14 + Double($0),
          maxError: 0.03 / Double($0 + 1))
      })
  }
}
