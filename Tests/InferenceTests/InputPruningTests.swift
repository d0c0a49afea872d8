import Checkpoints
import Tensors
import Testing

@testable import Inference

/// Small inputs of o_proj and down_proj that count as zero.
struct InputPruningTests {
  @Test func thresholdsLeaveTheShareOut() throws {
    let model = TinyModel()
    var decoder = try model.decoder()
    let tokens = DecoderTests.tokens
    for share in [0.25, 0.5, 0.75] {
      decoder.inputPruning = nil
      decoder.inputPruning = try decoder.inputPruning(share: share, on: tokens)
      var cache = decoder.makeCache(as: .f32)
      _ = try decoder.forward(tokens: tokens, cache: &cache, wants: .all)
      // Later blocks read what earlier ones made of less.
      let sparsity = try #require(decoder.inputPruning?.sparsity)
      #expect(abs(sparsity - share) < 0.1)
    }
  }

  @Test func whatIsLeftOutIsWhatLayersWouldReadAsZeros() throws {
    let model = TinyModel()
    let decoder = try model.decoder()
    let tokens = DecoderTests.tokens
    let pruning = try decoder.inputPruning(share: 0.5, on: tokens)
    var pruned = decoder
    pruned.inputPruning = pruning
    for site in [InputSite.attentionOutput(block: 0), .feedForwardOutput(block: 0)] {
      let threshold = try #require(pruning.thresholds[site])
      let projection = try #require(decoder.projection(at: site))
      let columns = projection.weights[0].columns
      let values = (0..<columns).map { Float($0 % 7 - 3) / 3 * threshold * 1.5 }
      let weights = projection.weights[0].decoded()
      let expected = (0..<weights.rows).map { row in
        zip(weights.row(row), values).reduce(0.0) { sum, pair in
          pair.1.magnitude < threshold ? sum : sum + Double(pair.0) * Double(pair.1)
        }
      }
      let found = pruned.outputs(
        of: Matrix(rows: 1, columns: columns, values: values), through: projection, at: site)
      for (found, expected) in zip(found.values, expected) {
        #expect(abs(Double(found) - expected) < 1e-5 * (1 + abs(expected)))
      }
      // Nothing is left out at other places.
      #expect(
        pruned.outputs(
          of: Matrix(rows: 1, columns: columns, values: values), through: projection, at: nil)
          != found)
    }
  }

  @Test func tokensOneByOneComputeWhatAllTogetherDo() throws {
    let reference = try RealModel.decoder("smollm2-hf", on: TransformersTests.pool)
    let tokens = Array(try TransformersRecord.load("smollm2-hf").logits.ids.prefix(40))
    var decoder = reference
    for block in [0, 3, 11, 20] {
      for part in ["self_attn.o_proj", "mlp.down_proj"] {
        let name = "model.layers.\(block).\(part)"
        let matrix = PackedMatrix(
          quantizing: try #require(reference.weights(of: name)).decoded(), bits: 8, groupSize: 64,
          isSymmetric: true, searchesRange: false, scaleType: .bfloat16)
        try decoder.setLayer(name, .packed(matrix))
      }
    }
    let pruning = try decoder.inputPruning(share: 0.6, on: tokens)
    #expect(pruning.isMade(for: decoder) && !pruning.isMade(for: reference))
    var pruned = decoder
    pruned.inputPruning = pruning
    var cache = pruned.makeCache(as: .f32)
    let together = try pruned.forward(tokens: tokens, cache: &cache, wants: .last)
    cache = pruned.makeCache(as: .f32)
    var last = Matrix(rows: 0, columns: 0)
    for token in tokens { last = try pruned.forward(tokens: [token], cache: &cache, wants: .last) }
    let (a, b) = (Logits(Array(together.row(0))), Logits(Array(last.row(0))))
    cache = decoder.makeCache(as: .f32)
    let whole = try decoder.forward(tokens: tokens, cache: &cache, wants: .last)
    let cost = Logits(Array(whole.row(0))).divergence(to: b)
    #expect(cost > 1e-3)
    // An input at its threshold may be on either side of it.
    #expect(a.divergence(to: b) < cost / 5)
  }
}

extension Decoder {
  fileprivate func projection(at site: InputSite) -> Projection? {
    switch site {
    case .attentionOutput(let block): return blocks[block].attentionOutput
    case .feedForwardOutput(let block):
      guard case .dense(_, _, let down) = blocks[block].feedForward else { return nil }
      return down
    default: return nil
    }
  }
}
