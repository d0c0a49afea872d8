import Checkpoints
import Compression
import Inference
import Procedures
import Tensors
import TestSupport
import Testing
import Work

/// The sweep over the blocks, and layers compressed alone, against the same done by hand.
@Suite struct BlockSweepTests {
  /// A model of which the sweep compresses whatever is to be something else than it is.
  private final class Model: SweptModel {
    let layers: ModelLayers
    var schemes: [Int: Scheme]
    var results: [(number: Int, result: LayerResult)] = []

    init(_ layers: ModelLayers, _ schemes: [Int: Scheme]) {
      (self.layers, self.schemes) = (layers, schemes)
    }

    func scheme(of number: Int) -> Scheme { schemes[number] ?? .keep }

    var unsweptLayers: [Int] {
      schemes.keys.filter { number in !results.contains { $0.number == number } }.sorted()
    }

    func put(
      _ number: Int, from original: Decoder, into decoder: inout Decoder
    ) throws(WorkFailure) {
      guard let found = results.first(where: { $0.number == number }) else { return }
      do {
        try decoder.setLayer(layers.shapes[number].name, found.result.weights)
      } catch {
        throw WorkFailure(error)
      }
    }

    func accept(_ result: LayerResult, of number: Int) { results.append((number, result)) }
  }

  private let sample: ScriptureSample
  private let layers: ModelLayers
  private let windows: TokenWindows
  private let pool = WorkerPool(threads: 2)
  /// A layer of the first block, and one of the second that reads what the first block produces.
  private let (down, query): (Int, Int)

  init() throws {
    sample = try ScriptureSample()
    layers = ModelLayers(sample.checkpoint)
    windows = try TokenWindows(sample.tokens, length: 64, contextLength: 512)
    down = try #require(layers.number(of: "model.layers.0.mlp.down_proj"))
    query = try #require(layers.number(of: "model.layers.1.self_attn.q_proj"))
  }

  private func gptq(bits: Int) -> Scheme {
    Scheme(quantization: QuantizationScheme(bits: bits, group: .size(32), method: .gptq))
  }

  private func sweep(_ model: Model) throws -> BlockSweep {
    try BlockSweep(model, of: layers, original: sample.decoder, windows: windows, on: pool)
  }

  /// What GPTQ makes of a layer whose inputs a decoder computes.
  private func expected(_ number: Int, bits: Int, reading decoder: Decoder) throws -> Matrix {
    let site = try #require(layers.description.layers[number].site)
    var pass = try ActivationPass(windows, decoder: decoder)
    while pass.block < site.block ?? 0 {
      try pass.sweep(observing: .nothing, advancing: true, with: decoder)
    }
    try pass.sweep(observing: .gram, advancing: false, with: decoder)
    var compressor = try LayerCompressor(
      matrix: layers.matrix(of: number), shape: layers.shapes[number], scheme: gptq(bits: bits),
      statistics: pass.statistics(at: site))
    while !compressor.isFinished { try compressor.step(rows: 64) }
    return try #require(compressor.finish(original: 0)).layer.weights.decoded()
  }

  @Test func laterBlocksSeeWhatEarlierOnesBecame() throws {
    let model = Model(layers, [down: gptq(bits: 2), query: gptq(bits: 3)])
    var sweep = try sweep(model)
    var moves: [String] = []
    try sweep.run(pace: .unwatched) { moves.append("\($0) \($1 ? "through" : "before")") }
    #expect(moves == ["0 through", "1 before"])
    #expect(model.results.map(\.number) == [down, query])
    let first = model.results[0].result.weights
    #expect(first.decoded() == (try expected(down, bits: 2, reading: sample.decoder)))
    var compressed = sample.decoder
    try compressed.setLayer(layers.shapes[down].name, first)
    let second = model.results[1].result.weights.decoded()
    #expect(second == (try expected(query, bits: 3, reading: compressed)))
    #expect(second != (try expected(query, bits: 3, reading: sample.decoder)))
  }

  /// While the block is observed, while the factor is made, and in the middle of the layer itself.
  @Test(arguments: [1, 10, 18])
  func layersThatAreToBecomeSomethingElseDo(tick: Int) throws {
    let model = Model(layers, [down: gptq(bits: 2)])
    var sweep = try sweep(model)
    var ticks = 0
    let pace = Pace { _ in
      ticks += 1
      if ticks == tick { model.schemes[down] = gptq(bits: 4) }
    }
    try sweep.run(pace: pace) { _, _ in }
    #expect(model.results.map(\.result.report.scheme) == [gptq(bits: 4)])
    #expect(
      model.results[0].result.weights.decoded()
        == (try expected(down, bits: 4, reading: sample.decoder)))
  }

  @Test func cancelledItKeepsWhatIsDone() throws {
    let model = Model(layers, [down: gptq(bits: 2), query: gptq(bits: 3)])
    var sweep = try sweep(model)
    let pace = Pace { _ throws(WorkFailure) in
      if !model.results.isEmpty { throw .cancelled }
    }
    #expect(throws: WorkFailure.cancelled) { try sweep.run(pace: pace) { _, _ in } }
    #expect(model.results.map(\.number) == [down])
  }

  /// Alone, each layer reads what the original model computes, whatever became of others.
  @Test func loneLayersReadTheOriginal() throws {
    var compression = try LoneCompression(
      of: layers, decoder: sample.decoder, windows: windows, on: pool)
    for (number, bits) in [(down, 2), (query, 3)] {
      let record = PaceRecord()
      let found = try compression.compressed(
        number, gptq(bits: bits), statistics: nil, pace: record.pace)
      #expect(
        found.weights.decoded() == (try expected(number, bits: bits, reading: sample.decoder)))
      #expect(record.shares.count > 3)
    }
  }
}
