@testable import Compression
import Tensors
import Testing

struct LayerPreviewTests {
  /// Rows of which some carry a hundred times the energy of others.
  static let weights = Matrix.heavyTailed(rows: 240, columns: 64, seed: 5)

  static let schemes: [Scheme] = [
    Scheme(quantization: QuantizationScheme(bits: 3, group: .size(32), isSymmetric: false)),
    Scheme(quantization: QuantizationScheme(bits: 4, group: .channel)),
    Scheme(quantization: QuantizationScheme(bits: 2, group: .size(16), range: .mse)),
    Scheme(sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 4))),
    Scheme(sparsity: SparsityScheme(pattern: .unstructured(ratio: 0.5))),
    Scheme(
      quantization: QuantizationScheme(bits: 4),
      sparsity: SparsityScheme(pattern: .unstructured(ratio: 0.3))),
  ]

  let layer: TestLayer
  let profile: RowProfile

  init() throws {
    layer = try #require(TestLayer(Self.weights))
    profile = try #require(try layer.profile())
  }

  func preview(_ scheme: Scheme, name: String = "layer", rows: Int = 32) throws -> LayerReport {
    let shape = LayerShape(name: name, rows: 240, columns: 64, type: .float32)
    return try LayerPreview(
      matrix: layer.matrix, shape: shape, scheme: scheme, profile: profile
    ).report(rows: rows, original: layer.matrix.byteCount)
  }

  @Test(arguments: schemes)
  func bandsCoverTheExactFigure(scheme: Scheme) throws {
    let exact = try #require(try layer.compressed(scheme, step: 240)).report
    let sqnr = try #require(exact.error.sqnr)
    let names = (0..<200).map { "model.layers.\($0).mlp.down_proj" }
    let reports = try names.map { try preview(scheme, name: $0) }
    let covered = reports.count { abs(($0.error.sqnr ?? 0) - sqnr) <= $0.error.sqnrBand }
    #expect(covered >= 180)
    // Bands that covered everything would be easy to make, and useless.
    #expect(reports.allSatisfy { $0.error.sqnrBand > 0 && $0.error.sqnrBand < 3 })
    #expect(covered < 200)
  }

  @Test(arguments: schemes)
  func estimatesComeCloseWithManyRows(scheme: Scheme) throws {
    let exact = try #require(try layer.compressed(scheme, step: 240)).report
    let sampled = try preview(scheme, rows: 20_000)
    #expect(sampled.size == exact.size && sampled.bitsPerWeight == exact.bitsPerWeight)
    #expect(abs((sampled.error.sqnr ?? 0) - (exact.error.sqnr ?? 0)) < 0.1)
    #expect(abs(sampled.error.mse / exact.error.mse - 1) < 0.03)
    #expect(abs(sampled.error.cosine - exact.error.cosine) < 0.003)
    #expect(abs(sampled.error.maxError / exact.error.maxError - 1) < 0.01)
    #expect(abs(sampled.zeroFraction - exact.zeroFraction) < 0.02)
    for channel in sampled.worstChannels
    where exact.worstChannels.map(\.channel).contains(channel.channel) {
      #expect(exact.worstChannels.contains(channel))
    }
    #expect(sampled.before == exact.before)
    for (some, all) in [
      (sampled.after, exact.after), (sampled.difference, exact.difference),
    ] {
      #expect(some.lower == all.lower && some.upper == all.upper)
      let differences = zip(some.counts, all.counts).map { abs($0 - $1) }
      #expect(differences.reduce(0, +) < all.total / 20)
    }
  }

  @Test func samplesAreTheSameForTheSameLayerAndGrowByMoreRows() {
    let small = RowSample(sizes: profile.energies, layer: "a", size: 16)
    let large = RowSample(sizes: profile.energies, layer: "a", size: 64)
    #expect(small.draws == RowSample(sizes: profile.energies, layer: "a", size: 16).draws)
    #expect(Set(small.draws.map(\.row)).isSubset(of: large.draws.map(\.row)))
    #expect(small.draws.map(\.count).reduce(0, +) == 16)
    #expect(large.draws != RowSample(sizes: profile.energies, layer: "b", size: 64).draws)
  }

  @Test func rowsWithoutEnergyAreNotDrawnButCounted() throws {
    var weights = Self.weights
    for row in stride(from: 0, to: 240, by: 2) {
      for column in 0..<64 { weights[row, column] = 0 }
    }
    let layer = try #require(TestLayer(weights))
    let profile = try #require(try layer.profile())
    #expect(profile.zeroRows == 120)
    let scheme = Scheme(quantization: QuantizationScheme(bits: 8))
    let exact = try #require(try layer.compressed(scheme, step: 240)).report
    let report = try LayerPreview(
      matrix: layer.matrix, shape: layer.shape, scheme: scheme, profile: profile
    ).report(original: 0)
    #expect(report.worstChannels.allSatisfy { $0.channel % 2 == 1 })
    #expect(abs(report.zeroFraction - exact.zeroFraction) < 0.05)
    #expect(abs(report.after.total - exact.after.total) < 128)
  }

  @Test(arguments: [Scheme.keep] + schemes)
  func aLayerOfZerosHasNoError(scheme: Scheme) throws {
    let layer = try #require(TestLayer(Matrix(rows: 50, columns: 64)))
    let profile = try #require(try layer.profile())
    let report = try LayerPreview(
      matrix: layer.matrix, shape: layer.shape, scheme: scheme, profile: profile
    ).report(original: 0)
    #expect(report.error == WeightError(mse: 0, sqnr: nil, sqnrBand: 0, cosine: 1, maxError: 0))
    #expect(report.zeroFraction == 1)
  }

  @Test func keptLayersHaveNoError() throws {
    let report = try preview(.keep)
    #expect(report.error.sqnr == nil && report.error.mse == 0 && report.error.cosine == 1)
  }

  @Test func refusesAProfileOfAnotherLayer() throws {
    let other = try #require(TestLayer(Matrix(rows: 50, columns: 64)))
    #expect(throws: CompressionError.self) {
      try LayerPreview(
        matrix: other.matrix, shape: other.shape, scheme: .keep, profile: profile)
    }
  }
}
