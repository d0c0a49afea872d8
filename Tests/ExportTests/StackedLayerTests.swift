import Checkpoints
import Compression
import Export
import Tensors
import TestSupport
import Testing

/// A layer that a checkpoint holds in several matrices is written as if it held it in one.
struct StackedLayerTests {
  private static let tiny = [
    "Tests/CheckpointsTests/Fixtures/tiny", "Tests/CheckpointsTests/Fixtures/tiny-sharded",
    "Tests/CheckpointsTests/Fixtures/tiny.gguf",
  ]

  /// The weights in two matrices, the first of seven rows.
  private static func cut(_ weights: LayerWeights) -> LayerWeights {
    .stack([
      weights.selecting(rows: Array(0..<7), columns: nil),
      weights.selecting(rows: Array(7..<weights.rows), columns: nil),
    ])
  }

  private static func check(_ encoding: some ModelEncoding, _ layer: CompressedLayer) throws {
    let stacked = CompressedLayer(
      shape: layer.shape, scheme: layer.scheme, weights: cut(layer.weights))
    #expect(
      stacked.weights.decoded(rows: 0..<layer.shape.rows)
        == layer.weights.decoded(rows: 0..<layer.shape.rows))
    let (found, expected) = (
      try encoding.tensors(of: stacked), try encoding.tensors(of: layer)
    )
    #expect(found.map(\.name) == expected.map(\.name))
    #expect(found.map(\.bytes) == expected.map(\.bytes), "\(layer.shape.name)")
  }

  @Test(arguments: tiny) func keptLayers(path: String) throws {
    let model = try CompressedModel(Checkpoint.open(Repository.path(path))) { _ in .keep }
    let gguf = try GGUFEncoding(model: model.export)
    let tensors = try CompressedTensorsEncoding(model: model.export, target: .transformers)
    for layer in model.layers {
      try Self.check(gguf, layer)
      try Self.check(tensors, layer)
    }
  }

  @Test(arguments: tiny) func quantizedAndPrunedLayers(path: String) throws {
    let checkpoint = try Checkpoint.open(Repository.path(path))
    let blocks = try CompressedModel(checkpoint) { _ in
      Scheme(quantization: QuantizationScheme(block: .q8_0, range: .minMax))
    }
    let gguf = try GGUFEncoding(model: blocks.export)
    for layer in blocks.layers { try Self.check(gguf, layer) }
    let codes = try CompressedModel(checkpoint) { shape in
      if shape.name.hasSuffix("embed_tokens") { return .keep }
      return shape.name.contains("mlp")
        ? Scheme(sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 4)))
        : Scheme(quantization: QuantizationScheme(bits: 3, group: .size(16), isSymmetric: false))
    }
    let tensors = try CompressedTensorsEncoding(model: codes.export, target: .transformers)
    for layer in codes.layers { try Self.check(tensors, layer) }
  }
}
