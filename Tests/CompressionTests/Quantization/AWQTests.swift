@testable import Compression
import Tensors
import Testing

struct AWQTests {
  @Test func scalesLeaveWhatTheLayerComputes() throws {
    let layer = try #require(TestLayer(.heavyTailed(rows: 6, columns: 64, seed: 51)))
    let scales = ChannelScales(
      columns: (0..<64).map { 1 + Float($0) / 8 }, rows: (0..<6).map { 2 + Float($0) })
    let scheme = Scheme(quantization: QuantizationScheme(bits: 8, group: .size(32), method: .rtn))
    let before = layer.matrix.decoded(rows: 0..<6)
    let result = try #require(try layer.compressed(scheme, scales: scales))
    var scaled = before
    scales.apply(to: &scaled, layerRows: Array(0..<6))
    #expect(scaled[2, 5] == before[2, 5] * (1 + 5 / 8) * 4)
    // What is stored is the scaled layer; the report and trials speak of the original.
    let stored = try #require(try TestLayer(scaled)?.compressed(scheme))
    #expect(result.layer.weights.decoded(rows: 0..<6) == stored.layer.weights.decoded(rows: 0..<6))
    let trial = try LayerTrial(
      matrix: layer.matrix, shape: layer.shape, scheme: scheme, scales: scales)
    let rows = trial.compressed(rows: [4, 1])
    #expect(rows.before == layer.matrix.decoded(rows: [4, 1]))
    for (after, before) in zip(rows.after.values, rows.before.values) {
      #expect(abs(after - before) < 0.05 * 6)
    }
    scales.remove(from: &scaled, layerRows: Array(0..<6))
    for (value, expected) in zip(scaled.values, before.values) {
      #expect(abs(value - expected) <= 1e-6 * abs(expected))
    }
  }

  @Test func sweepsSeeTheScaledInputs() throws {
    let layer = try #require(TestLayer(.heavyTailed(rows: 6, columns: 64, seed: 53)))
    let gram = Matrix.gram(columns: 64, count: 200, seed: 54)
    // Powers of two, so that scaling rounds nothing.
    let factors = (0..<64).map { Float(1 << ($0 % 4)) }
    var (scaledWeights, scaledGram) = (layer.matrix.decoded(rows: 0..<6), gram)
    ChannelScales(columns: factors).apply(to: &scaledWeights, layerRows: Array(0..<6))
    for row in 0..<64 {
      for column in 0..<64 { scaledGram[row, column] /= factors[row] * factors[column] }
    }
    let scheme = Scheme(
      quantization: QuantizationScheme(bits: 4, group: .size(16), range: .weighted, method: .gptq))
    let result = try layer.compressed(
      scheme, statistics: InputStatistics(gram: gram), factor: HessianFactor(gram: gram),
      scales: ChannelScales(columns: factors))
    let expected = try TestLayer(scaledWeights)?.compressed(
      scheme, statistics: InputStatistics(gram: scaledGram))
    #expect(result != nil)
    #expect(
      result?.layer.weights.decoded(rows: 0..<6) == expected?.layer.weights.decoded(rows: 0..<6))
  }

  @Test func scaledLayersThatAreKeptAreStoredAnew() throws {
    let layer = try #require(TestLayer(.heavyTailed(rows: 3, columns: 32, seed: 55)))
    let result = try #require(
      try layer.compressed(.keep, scales: ChannelScales(rows: [1, 2, 4])))
    guard case .stored(let stored) = result.layer.weights, stored.type == .float16 else {
      Issue.record("the layer's own weights are not the scaled ones")
      return
    }
    let before = layer.matrix.decoded(rows: 0..<3)
    #expect(abs(result.layer.weights.decoded(rows: 2..<3)[0, 7] / before[2, 7] - 4) < 0.01)
  }

  @Test func searchNeedsAllMoments() throws {
    let layer = try #require(TestLayer(.heavyTailed(rows: 3, columns: 32, seed: 57)))
    let ones = [Float](repeating: 1, count: 32)
    let error = try #require(throws: CompressionError.self) {
      try AWQSearch(
        layers: [.init(matrix: layer.matrix, shape: layer.shape, scheme: .keep)],
        statistics: InputStatistics(tokens: 1, means: ones, secondMoments: ones))
    }
    #expect(error.reason.contains("calibrate first"))
  }
}
