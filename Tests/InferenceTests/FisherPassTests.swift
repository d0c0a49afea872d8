import Checkpoints
import Compression
import Foundation
import Inference
import Tensors
import TestSupport
import Testing

/// Backward passes against PyTorch's autograd, and against differences of the loss.
struct FisherPassTests {
  private static func run(_ pass: FisherPass) throws -> [String: LayerFisher] {
    var pass = pass
    let record = PaceRecord()
    try pass.run(pace: record.pace)
    #expect(record.isComplete)
    return pass.result
  }

  /// Every layer's sums over two windows of the sample model, labels included.
  @Test func sumsAreAutogradsOnTheSampleModel() throws {
    let record = try FisherRecord.load("sample-fisher")
    let decoder = try RealModel.decoder("Samples/scripture", on: TransformersTests.pool)
    let found = try Self.run(
      FisherPass(windows: record.windows, decoder: decoder, seed: record.seed))
    #expect(found.count == record.layers.count && found.count == 43)
    for (name, expected) in record.layers {
      let fisher = try #require(found[name])
      #expect(fisher.tokens == record.windows.reduce(0) { $0 + $1.count })
      #expect(abs(fisher.trace / expected.trace - 1) < 1e-4, "\(name)")
      #expect(relativeError(record.part(of: fisher.inputs), expected.inputs) < 1e-4, "\(name)")
      #expect(relativeError(record.part(of: fisher.outputs), expected.outputs) < 1e-4, "\(name)")
      for marginal in [fisher.inputs, fisher.outputs] {
        let sum = marginal.reduce(0) { $0 + Double($1) }
        #expect(abs(sum / fisher.trace - 1) < 1e-4, "\(name)")
      }
    }
  }

  /// Token weights turn the Gram matrices of odd windows into those that gradients are the weights of, whose diagonals
  /// autograd's sums have.
  @Test func tokenWeightsAreTheGradientsOfSums() throws {
    let record = try FisherRecord.load("sample-fisher")
    let decoder = try RealModel.decoder("Samples/scripture", on: TransformersTests.pool)
    let length = record.windows.map(\.count).min() ?? 0
    let tokens = record.windows.flatMap { $0.prefix(length) }
    let windows = try TokenWindows(tokens, length: length, contextLength: 512)
    var both = try FisherPass(windows: windows.all, decoder: decoder, seed: record.seed)
    try both.run()
    let first = try Self.run(
      FisherPass(windows: [windows.all[0]], decoder: decoder, seed: record.seed))
    var pass = try ActivationPass(
      windows, decoder: decoder, splitsWindows: true, oddWeights: both.tokenWeights)
    try pass.sweep(observing: .gram, advancing: true, with: decoder)
    for (site, layer) in [
      (InputSite.feedForwardOutput(block: 0), "model.layers.0.mlp.down_proj"),
      (.attentionOutput(block: 0), "model.layers.0.self_attn.o_proj"),
    ] {
      let gram = try #require(pass.statistics(at: site, of: .odd)?.gram)
      let (sum, even) = (try #require(both.result[layer]), try #require(first[layer]))
      let expected = zip(sum.inputs, even.inputs).map { 2 * $0 - $1 }
      let found = expected.indices.map { gram[$0, $0] }
      #expect(relativeError(found, expected) < 1e-3, "\(layer)")
    }
    // Weighed by gradients, the sum of both windows would have no matrix that means anything.
    #expect(pass.statistics(at: .feedForwardOutput(block: 0))?.gram == nil)
  }

  /// What structured pruning takes by these sums, zeroing costs least in PyTorch's as well.
  @Test func neuronsAndHeadsGoByAutogradsSums() throws {
    let record = try FisherRecord.load("sample-fisher")
    let decoder = try RealModel.decoder("Samples/scripture", on: TransformersTests.pool)
    let found = try Self.run(
      FisherPass(windows: record.windows, decoder: decoder, seed: record.seed))
    let structure = try ModelStructure(
      neurons: record.neurons, keyValueHeads: record.keyValueHeads
    ).choosing(by: found, in: decoder)
    #expect(record.cuts.count == 6 && structure.cuts.count == 6)
    for (block, expected) in record.cuts.enumerated() {
      #expect(structure.cuts[block] == expected, "block \(block)")
    }
  }

  /// The gradient at the embedding's rows, which all others lie on the way to.
  @Test(arguments: [ElementType.float32, .float16])
  func gradientsAreDifferencesOfTheLoss(type: ElementType) throws {
    let model = TinyModel(type: type, tiesEmbeddings: false)
    let (decoder, tokens, seed) = (try model.decoder(), [3, 77, 100, 0, 42], UInt64(11))
    let found = try Self.run(FisherPass(windows: [tokens], decoder: decoder, seed: seed))

    var cache = decoder.makeCache()
    let logits = try decoder.forward(tokens: tokens, cache: &cache, wants: .all)
    let sampler = Sampler(temperature: 1, seed: seed)
    let labels = tokens.indices.map { sampler.token(from: Logits(Array(logits.row($0))), at: $0) }
    func loss(_ plain: PlainDecoder) -> Double {
      zip(plain.logits(tokens), labels).map { logits, label in
        log(logits.map { exp($0) }.reduce(0, +)) - logits[label]
      }.reduce(0, +)
    }
    let name = "model.embed_tokens"
    let plain = PlainDecoder(model)
    let step: Float = 1 / 1024
    for token in [3, 100] {
      var energy = 0.0
      for column in 0..<64 {
        var (above, below) = (plain, plain)
        above.layers[name]?[token, column] += step
        below.layers[name]?[token, column] -= step
        energy += pow((loss(above) - loss(below)) / Double(2 * step), 2)
      }
      let expected = energy / Double(tokens.count)
      let fisher = try #require(found[name])
      #expect(abs(Double(fisher.outputs[token]) / expected - 1) < 1e-3)
      #expect(fisher.outputs[1] == 0)
    }
  }

  /// Packed layers go back through the weights that they go forward with.
  @Test func packedLayersDifferentiateAsTheirDecodedCopies() throws {
    let model = TinyModel()
    var (packed, dense) = (try model.decoder(), try model.decoder())
    for (name, stored) in model.layers {
      let matrix = PackedMatrix(
        quantizing: stored.decoded(), bits: 4, groupSize: 32, isSymmetric: true,
        searchesRange: false, scaleType: .float16)
      try packed.setLayer(name, .packed(matrix))
      try dense.setLayer(
        name,
        .stored(
          .storing(
            matrix.decoded().values, as: .float32, rows: matrix.rows, columns: matrix.columns)))
    }
    let windows = [DecoderTests.tokens, [5, 6, 7, 8, 9, 10, 11, 12, 13, 14]]
    let found = try Self.run(FisherPass(windows: windows, decoder: packed, seed: 1))
    let expected = try Self.run(FisherPass(windows: windows, decoder: dense, seed: 1))
    for (name, fisher) in expected {
      let other = try #require(found[name])
      // Packed layers read inputs of 16 bits.
      #expect(relativeError(other.inputs, fisher.inputs) < 4e-4)
      #expect(relativeError(other.outputs, fisher.outputs) < 4e-4)
    }
  }

  @Test func resultsAreOfWholeWindows() throws {
    let decoder = try TinyModel().decoder()
    let windows = [[1, 2, 3, 4, 5, 6, 7, 8], [9, 10, 11, 12, 13, 14, 15]]
    var pass = try FisherPass(windows: windows, decoder: decoder, seed: 3)
    let first = try Self.run(FisherPass(windows: [windows[0]], decoder: decoder, seed: 3))
    #expect(pass.tokenCount == 15 && pass.result.isEmpty)
    // Each window is half of the work: this is the second one's first tick.
    #expect(throws: InferenceError.cancelled) {
      try pass.run(pace: PaceRecord(endingAt: 0.501).pace)
    }
    #expect(pass.result == first)
    try pass.run()
    #expect(pass.result != first && pass.result["model.embed_tokens"]?.tokens == 15)
  }

  @Test func whatCannotBeReadIsRefused() throws {
    let decoder = try TinyModel(contextLength: 8).decoder()
    #expect(throws: InferenceError.emptyInput) {
      try FisherPass(windows: [], decoder: decoder, seed: 0)
    }
    #expect(throws: InferenceError.emptyInput) {
      try FisherPass(windows: [[1], []], decoder: decoder, seed: 0)
    }
    #expect(throws: InferenceError.unknownToken(id: 101, vocabularySize: 101)) {
      try FisherPass(windows: [[1, 101]], decoder: decoder, seed: 0)
    }
    #expect(throws: InferenceError.contextExceeded(tokens: 9, limit: 8)) {
      try FisherPass(windows: [Array(0..<9)], decoder: decoder, seed: 0)
    }
  }
}

/// What Tests/Oracles/record_fisher.py recorded of a model.
private struct FisherRecord: Decodable {
  struct Layer: Decodable {
    let trace: Double
    let inputs: [Float]
    let outputs: [Float]

    private enum CodingKeys: CodingKey { case trace, inputs, outputs }

    init(from decoder: any Swift.Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      trace = try container.decode(Double.self, forKey: .trace)
      inputs = try container.decode(Data.self, forKey: .inputs).floats
      outputs = try container.decode(Data.self, forKey: .outputs).floats
    }
  }

  let seed: UInt64
  let windows: [[Int]]
  /// Every so manieth value was recorded.
  let stride: Int
  /// Neurons and heads that stay in each block, and what each block loses.
  let neurons: Int
  let keyValueHeads: Int
  let cuts: [ModelStructure.Cut]
  let layers: [String: Layer]

  func part(of values: [Float]) -> [Float] {
    Swift.stride(from: 0, to: values.count, by: stride).map { values[$0] }
  }

  static func load(_ name: String) throws -> FisherRecord {
    let data = try Data(contentsOf: Fixture.url("\(name).json"))
    return try JSONDecoder().decode(FisherRecord.self, from: data)
  }
}
