import Checkpoints
import Inference
import Tensors
import Testing

/// Norms that take scales of layers back, and blocks that are left out.
struct DecoderNormTests {
  private func logits(_ decoder: Decoder) throws -> [Float] {
    var cache = decoder.makeCache()
    return try decoder.forward(tokens: [3, 1, 4, 1, 5, 9], cache: &cache, wants: .all).values
  }

  /// Columns of q, k and v divided by scales that the norm before them multiplies with: the same model.
  @Test func aNormTakesScalesBack() throws {
    let model = TinyModel()
    var decoder = try model.decoder()
    let expected = try logits(decoder)
    let name = "model.layers.1.input_layernorm"
    let norm = try #require(decoder.norm(named: name))
    #expect(norm == model.norms[name])
    var noise = Noise(seed: 6)
    let scales = norm.map { _ in 1 + noise.next() / 2 }
    try decoder.setNorm(name, zip(norm, scales).map(*))
    #expect(try relativeError(logits(decoder), expected) > 0.01)
    for part in ["q_proj", "k_proj", "v_proj"] {
      let layer = "model.layers.1.self_attn.\(part)"
      var weights = try #require(decoder.weights(of: layer)).decoded()
      for place in weights.values.indices { weights.values[place] /= scales[place % norm.count] }
      try decoder.setLayer(
        layer,
        .stored(
          .storing(
            weights.values, as: .float32, rows: weights.rows, columns: weights.columns)))
    }
    #expect(try relativeError(logits(decoder), expected) < 1e-5)
  }

  @Test(arguments: [
    "model.norm", "model.layers.0.post_attention_layernorm", "model.layers.0.input_layernorm",
  ])
  func everyNormHasItsPlace(name: String) throws {
    let model = TinyModel()
    var decoder = try model.decoder()
    let expected = try logits(decoder)
    let norm = try #require(model.norms[name])
    try decoder.setNorm(name, norm.map { $0 / 2 })
    #expect(decoder.norm(named: name) == norm.map { $0 / 2 })
    for other in model.norms.keys where other != name {
      #expect(decoder.norm(named: other) == model.norms[other])
    }
    #expect(try logits(decoder) != expected)
    try decoder.setNorm(name, norm)
    #expect(try logits(decoder) == expected)
  }

  @Test func otherNamesAndSizesAreRefused() throws {
    var decoder = try TinyModel().decoder()
    let ones = [Float](repeating: 1, count: 64)
    for name in ["model.layers.2.input_layernorm", "model.layers.0.self_attn.q_proj", ""] {
      #expect(decoder.norm(named: name) == nil)
      #expect(throws: InferenceError.missing(name: name)) { try decoder.setNorm(name, ones) }
    }
    #expect(throws: InferenceError.wrongShape(layer: "model.norm", expected: [64], found: [1])) {
      try decoder.setNorm("model.norm", [1])
    }
  }

  @Test func blocksAreLeftOut() throws {
    let model = TinyModel()
    let decoder = try model.decoder()
    #expect(decoder.runningBlocks == [0, 1])
    let shorter = decoder.leavingOut(blocks: [0])
    #expect(shorter.runningBlocks == [1])
    // A block whose outputs are zero adds nothing to what it was given.
    var silent = decoder
    for (part, columns) in [("self_attn.o_proj", 64), ("mlp.down_proj", 96)] {
      let zeros = [Float](repeating: 0, count: 64 * columns)
      try silent.setLayer(
        "model.layers.0.\(part)",
        .stored(.storing(zeros, as: .float32, rows: 64, columns: columns)))
    }
    #expect(try logits(shorter) == logits(silent))
    #expect(try logits(shorter) != logits(decoder))
    #expect(try logits(decoder.leavingOut(blocks: [])) == logits(decoder))
    // Tokens one by one, and with some forgotten, give the same.
    var cache = shorter.makeCache()
    _ = try shorter.forward(tokens: [3, 1, 7, 7], cache: &cache, wants: .none)
    cache.truncate(to: 2)
    let rest = try shorter.forward(tokens: [4, 1, 5, 9], cache: &cache, wants: .last)
    let whole = try logits(shorter)
    #expect(relativeError(rest.values, Array(whole.suffix(rest.columns))) < 1e-5)
  }
}
