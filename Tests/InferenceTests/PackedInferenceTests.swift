import Checkpoints
import Inference
import Tensors
import Testing

/// A model that multiplies with codes gives the logits of one with the same weights, decoded.
struct PackedInferenceTests {
  @Test(arguments: 2...8, [true, false])
  func packedLayersComputeAsTheirDecodedCopies(bits: Int, isSymmetric: Bool) throws {
    let model = TinyModel()
    var (packed, dense) = (try model.decoder(), try model.decoder())
    for (name, stored) in model.layers {
      let matrix = PackedMatrix(
        quantizing: stored.decoded(), bits: bits, groupSize: stored.columns % 64 == 0 ? 64 : 16,
        isSymmetric: isSymmetric, searchesRange: false, scaleType: .float16)
      try packed.setLayer(name, .packed(matrix))
      try dense.setLayer(name, .stored(Self.decodedCopy(of: matrix)))
    }
    // Few tokens multiply one by one, many in blocks. A step is 1/32639 of the largest of 32 inputs.
    for count in [1, 3, 12] {
      let tokens = Array(DecoderTests.tokens.prefix(count))
      #expect(try Self.difference(packed, dense, tokens) < 2e-4)
    }
  }

  @Test func theRealModelsLayersDoTheSame() throws {
    let reference = try RealModel.decoder("smollm2-hf", on: TransformersTests.pool)
    let tokens = Array(try TransformersRecord.load("smollm2-hf").logits.ids.prefix(24))
    var (packed, dense) = (reference, reference)
    for part in ["self_attn.q_proj", "self_attn.v_proj", "mlp.down_proj"] {
      let name = "model.layers.11.\(part)"
      let matrix = PackedMatrix(
        quantizing: try #require(reference.weights(of: name)).decoded(), bits: 4, groupSize: 64,
        isSymmetric: part.hasPrefix("mlp"), searchesRange: false, scaleType: .float16)
      try packed.setLayer(name, .packed(matrix))
      try dense.setLayer(name, .stored(Self.decodedCopy(of: matrix)))
    }
    #expect(try Self.difference(packed, dense, tokens) < 3e-4)
    #expect(try Self.difference(packed, dense, Array(tokens.prefix(1))) < 3e-4)
    #expect(try Self.difference(packed, reference, tokens) > 1e-3)
  }

  @Test func exactArithmeticIsAsGoodAsSinglePrecision() throws {
    let reference = try RealModel.decoder("smollm2-hf", on: TransformersTests.pool)
    let tokens = Array(try TransformersRecord.load("smollm2-hf").logits.ids.prefix(48))
    var (packed, dense) = (reference, reference)
    // Some layers of each kind.
    for layer in reference.description.layers.dropFirst().enumerated() where layer.offset % 5 == 0 {
      let name = layer.element.name
      guard let weights = reference.weights(of: name) else { continue }
      let matrix = PackedMatrix(
        quantizing: weights.decoded(), bits: 8, groupSize: 64, isSymmetric: true,
        searchesRange: false, scaleType: .bfloat16)
      try packed.setLayer(name, .packed(matrix))
      try dense.setLayer(name, .stored(Self.decodedCopy(of: matrix)))
    }
    #expect(try Self.divergence(dense, packed, tokens) < 1e-6)
    packed.arithmetic = .fast
    let fast = try Self.divergence(dense, packed, tokens)
    #expect(fast > 1e-6 && fast < 0.01)
  }

  @Test func ggufBlocksSetIntoASlotAreRepacked() throws {
    let gguf = try RealModel.decoder("smollm2.gguf", on: TransformersTests.pool)
    var other = gguf
    let name = "model.layers.3.self_attn.q_proj"
    let stored = try RealModel.checkpoint("smollm2.gguf").matrix(of: name)
    #expect(stored.type.isQuantized)
    try other.setLayer(name, stored)
    guard case .packed(let found)? = other.weights(of: name),
      case .packed(let expected)? = gguf.weights(of: name)
    else {
      Issue.record("GGUF's blocks run packed")
      return
    }
    #expect(found == expected)
    #expect(found.decoded() == stored.decoded())
  }

  private static func decodedCopy(of matrix: PackedMatrix) -> StoredMatrix {
    .storing(
      matrix.decoded().values, as: .float32, rows: matrix.rows, columns: matrix.columns)
  }

  /// The mean KLD after each token.
  private static func divergence(
    _ first: Decoder, _ second: Decoder, _ tokens: [Int]
  ) throws -> Double {
    var caches = (first.makeCache(), second.makeCache())
    let expected = try first.forward(tokens: tokens, cache: &caches.0, wants: .all)
    let found = try second.forward(tokens: tokens, cache: &caches.1, wants: .all)
    let divergences = tokens.indices.map { row in
      Logits(Array(expected.row(row))).divergence(to: Logits(Array(found.row(row))))
    }
    return divergences.reduce(0, +) / Double(tokens.count)
  }

  private static func difference(
    _ first: Decoder, _ second: Decoder, _ tokens: [Int]
  ) throws -> Double {
    var caches = (first.makeCache(), second.makeCache())
    return relativeError(
      try first.forward(tokens: tokens, cache: &caches.0, wants: .all).values,
      try second.forward(tokens: tokens, cache: &caches.1, wants: .all).values)
  }
}
