import Allocation
import Checkpoints
import Compression
import Inference
import Tensors
import TestSupport
import Testing
import Work

@Suite struct ReplacementPassTests {
  let sample: ScriptureSample
  let settings = Evaluation.Settings(window: 64)

  init() throws { sample = try ScriptureSample() }

  func noisy(_ layer: LayerDescription, size: Double) throws -> NoisyWeights {
    try NoisyWeights(
      of: sample.checkpoint.matrix(of: layer.name),
      shape: sample.checkpoint.description.shape(of: layer), size: size)
  }

  func measured(
    _ layers: Set<String>, size: Double
  ) throws -> [String: Estimate] {
    let pass = try ReplacementPass(
      tokens: sample.tokens, settings: settings, decoder: sample.decoder, layers: layers)
    let record = PaceRecord()
    var found: [String: Estimate] = [:]
    try pass.run(pace: record.pace) { layer, _ throws(WorkFailure) in
      do { return try noisy(layer, size: size).weights } catch {
        throw WorkFailure(sentence: "\(error)")
      }
    } hearing: {
      found[$0.name] = $1
    }
    #expect(record.isComplete)
    return found
  }

  /// What starts in the middle ends where a whole evaluation of the same model ends.
  @Test func everyModelIsMeasuredAsAWholeEvaluationWould() throws {
    let names: Set = [
      "model.embed_tokens", "model.layers.0.self_attn.v_proj", "model.layers.3.mlp.down_proj",
      "model.layers.5.self_attn.o_proj",
    ]
    let found = try measured(names, size: 0.3)
    #expect(Set(found.keys) == names)
    for layer in sample.checkpoint.description.layers where names.contains(layer.name) {
      var compressed = sample.decoder
      try compressed.setLayer(layer.name, try noisy(layer, size: 0.3).weights)
      var whole = try Evaluation(
        tokens: sample.tokens, settings: settings, reference: sample.decoder, compares: true)
      try whole.run(reference: sample.decoder, compressed: compressed)
      let expected = try #require(whole.result?.divergence?.mean.value)
      let value = try #require(found[layer.name]?.value)
      #expect(expected > 1e-5)
      #expect(abs(value / expected - 1) < 1e-3, "\(layer.name)")
    }
  }

  @Test func layersLeftOutAreNotMeasured() throws {
    let pass = try ReplacementPass(
      tokens: sample.tokens, settings: settings, decoder: sample.decoder,
      layers: ["model.layers.2.mlp.up_proj"])
    var wanted: [String] = []
    try pass.run { layer, _ in
      wanted.append(layer.name)
      return nil
    } hearing: { layer, _ in
      Issue.record("\(layer.name) was measured")
    }
    #expect(wanted == ["model.layers.2.mlp.up_proj"])
  }

  @Test func noiseHasItsSizeAndIsTheSameAgain() throws {
    let layer = try #require(sample.checkpoint.description.layers.last)
    let noise = try noisy(layer, size: 0.15)
    #expect(abs(noise.relativeEnergy / (0.15 * 0.15) - 1) < 0.02)
    let again = try noisy(layer, size: 0.15)
    let rows = Array(0..<layer.rows)
    let weights = noise.weights
    #expect(weights.decoded(rows: rows) == again.weights.decoded(rows: rows))
    // Layers are fooled each in its own way.
    let values = weights.decoded(rows: rows).values
    let before = try sample.checkpoint.matrix(of: layer.name).decoded().values
    let mean = zip(values, before).reduce(0.0) { $0 + Double($1.0 - $1.1) } / Double(values.count)
    let deviation = (noise.relativeEnergy * noise.energy / Double(values.count)).squareRoot()
    #expect(abs(mean) < 5 * deviation / Double(values.count).squareRoot())
  }

  /// The KLD of half the noise is a quarter, which is also what the isotropic estimate says.
  @Test func noiseMeasuresWhatErrorsOfAnySizeCost() throws {
    let name = "model.layers.1.mlp.up_proj"
    let layer = try #require(sample.checkpoint.description.layers.first { $0.name == name })
    let large = try #require(try measured([name], size: 0.2)[name]?.value)
    let small = try #require(try measured([name], size: 0.1)[name]?.value)
    #expect(abs(large / small / 4 - 1) < 0.15)
    let noise = try noisy(layer, size: 0.2)
    let fisher = LayerFisher(
      noiseDivergence: large, relativeEnergy: noise.relativeEnergy, energy: noise.energy,
      tokens: 128, rows: layer.rows, columns: layer.columns)
    let before = try sample.checkpoint.matrix(of: name).decoded()
    let half = try noisy(layer, size: 0.1).weights.decoded(rows: Array(0..<layer.rows))
    #expect(abs(fisher.divergence(before: before, after: half) / small - 1) < 0.15)
    #expect(
      abs(fisher.divergencePerRelativeError(energy: noise.energy) / (large / 0.04) - 1) < 0.02)
  }
}
