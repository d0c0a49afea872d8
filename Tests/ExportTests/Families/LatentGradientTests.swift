import Checkpoints
import Compression
import Export
import Inference
import Tensors
import TestSupport
import Testing

/// Gradients of models whose keys and values of latent rows are two tensors, as GGUF has them, against autograd's of the one
/// that they came from.
///
/// The models are made by `make families`.
struct LatentGradientTests {
  @Test(arguments: ["deepseek_v2-lite", "deepseek_v3"])
  func partsHaveTheSumsOfTheWhole(name: String) throws {
    let family = try Family(name)
    let model = try CompressedModel(.open(family.path)) { _ in .keep }
    let file = try model.file(GGUFEncoding(model: model.export))
    try TestFiles.with(file, named: "\(name).gguf") { path in
      let checkpoint = try Checkpoint.open(path)
      let decoder = try Inference.Decoder(checkpoint: checkpoint, pool: WorkerPool(threads: 2))
      var pass = try FisherPass(windows: family.rows, decoder: decoder, seed: 7)
      try pass.run()
      let attention = try #require(checkpoint.description.attention)
      var parts = 0
      for layer in checkpoint.description.layers {
        let found = try #require(pass.result[layer.name])
        switch layer.role {
        case .latentKey, .latentValue:
          let end = try #require(layer.name.lastIndex(of: "."))
          let whole = try #require(
            family.record("fisher.\(layer.name[..<end]).kv_b_proj.outputs"))
          let split = try Split(whole, attention)
          let isKey = layer.role == .latentKey
          // What such a matrix of keys reads stands at its rows, so that its columns have the outputs' sums.
          #expect(
            largestError(
              isKey ? found.inputs : found.outputs, isKey ? split.keys : split.values) < 1e-4,
            "\(layer.name)")
          parts += 1
        default:
          for (values, part) in [(found.inputs, "inputs"), (found.outputs, "outputs")] {
            let expected = try #require(family.record("fisher.\(layer.name).\(part)"))
            #expect(largestError(values, expected) < 1e-4, "\(part) of \(layer.name)")
          }
        }
      }
      #expect(parts == 2 * checkpoint.description.blockCount)
    }
  }

  /// The sums of a matrix' rows, of keys over all heads, and of values.
  private struct Split {
    var keys: [Float]
    var values: [Float] = []

    init(_ whole: [Float], _ attention: AttentionFacts) throws {
      let latent = try #require(attention.latent)
      let size = latent.ownSize(ofHead: attention.headSize)
      keys = Array(repeating: 0, count: size)
      for head in 0..<attention.headCount {
        let start = head * (size + latent.valueSize)
        for place in 0..<size { keys[place] += whole[start + place] }
        values += whole[start + size..<start + size + latent.valueSize]
      }
    }
  }
}
