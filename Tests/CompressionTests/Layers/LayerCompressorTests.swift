@testable import Compression
import Tensors
import TestSupport
import Testing

struct LayerCompressorTests {
  static let schemes: [Scheme] = [2, 3, 4, 5, 8].flatMap { bits in
    [GroupSize.channel, .size(16), .size(32)].flatMap { group in
      [true, false].flatMap { isSymmetric in
        patterns.map { pattern in
          Scheme(
            quantization: QuantizationScheme(bits: bits, group: group, isSymmetric: isSymmetric),
            sparsity: pattern.map { SparsityScheme(pattern: $0) })
        }
      }
    }
  }

  static let patterns: [SparsityPattern?] = [
    nil, .structured(kept: 2, of: 4), .structured(kept: 1, of: 8), .unstructured(ratio: 0.37),
  ]

  static let pruning = patterns.compactMap { $0 }.map {
    Scheme(sparsity: SparsityScheme(pattern: $0))
  }

  static let weights = Matrix.heavyTailed(rows: 13, columns: 96, seed: 1)

  let layer: TestLayer

  init() throws {
    layer = try #require(TestLayer(Self.weights))
  }

  @Test(arguments: schemes + pruning + [.keep])
  func takesExactlyThePredictedBytes(scheme: Scheme) throws {
    let (compressed, report) = try #require(try layer.compressed(scheme))
    let size = LayerSize.predicted(
      for: layer.shape, scheme: scheme, original: layer.matrix.byteCount)
    #expect(report.size == size)
    #expect(compressed.storedBytes == size.total)
    #expect(abs(report.bitsPerWeight - Double(size.total) * 8 / (13 * 96)) < 1e-12)
  }

  @Test(arguments: schemes + pruning + [.keep])
  func slicesDoNotChangeAnything(scheme: Scheme) throws {
    let whole = try #require(try layer.compressed(scheme, step: 1000))
    let profile = try #require(try layer.profile())
    let sliced = try #require(try layer.compressed(scheme, step: 1, profile: profile))
    #expect(whole.report == sliced.report)
    #expect(whole.layer.weights.decoded(rows: 0..<13) == sliced.layer.weights.decoded(rows: 0..<13))
    #expect(
      whole.layer.weights.decoded(rows: 5..<7).values
        == Array(
          whole.layer.weights.decoded(rows: 0..<13).values[5 * 96..<7 * 96]))
  }

  @Test(arguments: [0.001, 0.1, 0.37, 0.5, 0.75, 0.999])
  func prunesExactlyTheRatio(ratio: Double) throws {
    let scheme = Scheme(sparsity: SparsityScheme(pattern: .unstructured(ratio: ratio)))
    let after = try #require(try layer.compressed(scheme)).layer.weights.decoded(rows: 0..<13)
    let zeros = Int(ratio * 13 * 96)
    #expect(after.values.count { $0 == 0 } == zeros)
    let before = layer.matrix.decoded().values
    let order = before.indices.sorted { (abs(before[$0]), $0) < (abs(before[$1]), $1) }
    #expect(order.prefix(zeros).allSatisfy { after.values[$0] == 0 })
  }

  @Test(arguments: [0.1, 0.5, 0.9])
  func breaksTiesByPosition(ratio: Double) throws {
    // Magnitudes 1 and 2 only, in BF16, where ties are the rule.
    var random = SeededRandom(seed: 9)
    let values: [[UInt8]] = [[0x80, 0x3f], [0x80, 0xbf], [0x00, 0x40]]
    let bytes = (0..<10 * 16).flatMap { _ in
      values[Int.random(in: 0..<3, using: &random)]
    }
    let layer = try #require(
      TestLayer(bytes: bytes, type: .bfloat16, rows: 10, columns: 16))
    let scheme = Scheme(sparsity: SparsityScheme(pattern: .unstructured(ratio: ratio)))
    let after = try #require(try layer.compressed(scheme)).layer.weights.decoded(rows: 0..<10)
      .values
    let before = layer.matrix.decoded().values
    let order = before.indices.sorted { (abs(before[$0]), $0) < (abs(before[$1]), $1) }
    let pruned = Set(order.prefix(Int(ratio * 160)))
    #expect(after.indices.allSatisfy { after[$0] == (pruned.contains($0) ? 0 : before[$0]) })
  }

  @Test(arguments: [(2, 4), (1, 4), (3, 4), (4, 8), (1, 2), (5, 32)])
  func keepsNOfEveryM(kept: Int, of: Int) throws {
    let scheme = Scheme(
      sparsity: SparsityScheme(pattern: .structured(kept: kept, of: of)))
    let before = layer.matrix.decoded().values
    let after = try #require(try layer.compressed(scheme)).layer.weights.decoded(rows: 0..<13)
      .values
    for start in stride(from: 0, to: after.count, by: of) {
      let block = start..<start + of
      #expect(block.count { after[$0] != 0 } == kept)
      let smallest = block.filter { after[$0] != 0 }.map { abs(before[$0]) }.min() ?? 0
      #expect(block.filter { after[$0] == 0 }.allSatisfy { abs(before[$0]) <= smallest })
    }
  }

  @Test(arguments: schemes.filter { $0.sparsity != nil })
  func prunedWeightsStayZeroWhenQuantized(scheme: Scheme) throws {
    let sparse = Scheme(sparsity: scheme.sparsity)
    let pruned = try #require(try layer.compressed(sparse)).layer.weights.decoded(rows: 0..<13)
      .values
    let both = try #require(try layer.compressed(scheme)).layer.weights.decoded(rows: 0..<13).values
    #expect(pruned.indices.allSatisfy { pruned[$0] != 0 || both[$0] == 0 })
  }

  @Test func keepingChangesNothing() throws {
    let (compressed, report) = try #require(try layer.compressed(.keep))
    #expect(compressed.weights.decoded(rows: 0..<13) == layer.matrix.decoded())
    #expect(report.error == WeightError(mse: 0, sqnr: nil, sqnrBand: 0, cosine: 1, maxError: 0))
    #expect(report.before == report.after)
  }

  @Test func reportsWorkAsItGoes() throws {
    let scheme = Scheme(sparsity: SparsityScheme(pattern: .unstructured(ratio: 0.5)))
    var compressor = try LayerCompressor(matrix: layer.matrix, shape: layer.shape, scheme: scheme)
    var last = -1.0
    while !compressor.isFinished {
      #expect(compressor.finish(original: 0) == nil)
      #expect(compressor.progress > last && compressor.progress < 1)
      last = compressor.progress
      try compressor.step(rows: 4)
    }
    #expect(compressor.progress == 1)
    try compressor.step(rows: 4)
    #expect(compressor.progress == 1)
  }

  @Test func refusesWeightsThatAreNoNumbers() throws {
    for value in [Float.nan, .infinity, -.infinity] {
      var weights = Matrix.heavyTailed(rows: 9, columns: 32, seed: 3)
      weights[6, 31] = value
      let layer = try #require(TestLayer(name: "model.layers.3.mlp.up_proj", weights))
      let error = #expect(throws: CompressionError.self) { try layer.compressed(.keep) }
      #expect(error?.layer == "model.layers.3.mlp.up_proj")
      #expect(error?.row == 6)
    }
  }

  @Test func refusesSchemesAndShapesThatDoNotFit() throws {
    let group = Scheme(quantization: QuantizationScheme(bits: 4, group: .size(64)))
    #expect(throws: CompressionError.self) { try layer.compressed(group) }
    let other = LayerShape(name: "other", rows: 12, columns: 96, type: .float32)
    #expect(throws: CompressionError.self) {
      try LayerCompressor(matrix: layer.matrix, shape: other, scheme: .keep)
    }
    let smaller = try #require(TestLayer(Matrix(rows: 5, columns: 96)))
    let profile = try #require(try smaller.profile())
    #expect(throws: CompressionError.self) { try layer.compressed(.keep, profile: profile) }
  }

  @Test(arguments: [Scheme.keep] + schemes.prefix(8) + pruning)
  func handlesALayerOfZeros(scheme: Scheme) throws {
    let layer = try #require(TestLayer(Matrix(rows: 6, columns: 32)))
    let (compressed, report) = try #require(try layer.compressed(scheme))
    #expect(compressed.weights.decoded(rows: 0..<6) == Matrix(rows: 6, columns: 32))
    #expect(report.error.sqnr == nil && report.error.cosine == 1)
    #expect(report.zeroFraction == 1)
  }
}
