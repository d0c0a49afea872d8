import Compression
import Tensors
import TestSupport
import Testing

/// What holds of every float format, whatever the weights.
struct FloatFormatTests {
  private static func layer(rows: Int = 140, columns: Int = 160, scale: Float = 1) throws
    -> TestLayer
  {
    var weights = Matrix.heavyTailed(rows: rows, columns: columns, seed: 3)
    for index in weights.values.indices { weights.values[index] *= scale }
    return try #require(TestLayer(weights))
  }

  private static func floats(_ layer: CompressedLayer) throws -> FloatMatrix {
    guard case .floats(let matrix) = layer.weights else {
      throw CompressionError(layer: layer.shape.name, reason: "is stored otherwise")
    }
    return matrix
  }

  @Test(arguments: FloatFormat.allCases)
  func predictedBytesAreTheBytesStored(format: FloatFormat) throws {
    let scheme = Scheme(quantization: QuantizationScheme(float: format))
    let layer = try Self.layer()
    let result = try #require(try layer.compressed(scheme))
    let size = LayerSize.predicted(
      for: layer.shape, scheme: scheme, original: layer.matrix.byteCount)
    #expect(result.layer.storedBytes == size.total)
    #expect(result.report.size == size)
    #expect(size.codes == 140 * 160 * format.bits / 8)
    let scales = [
      FloatFormat.fp8: 2 * 140, .fp8Block: 2 * 2 * 2, .nvfp4: 140 * 10 + 4, .mxfp4: 140 * 5,
    ]
    #expect(size.scales == scales[format])
  }

  @Test(arguments: FloatFormat.allCases)
  func slicesAndThreadsGiveTheSameLayer(format: FloatFormat) throws {
    let scheme = Scheme(quantization: QuantizationScheme(float: format))
    let layer = try Self.layer()
    let whole = try Self.floats(try #require(try layer.compressed(scheme, step: 1000)).layer)
    #expect(try Self.floats(try #require(try layer.compressed(scheme, step: 7)).layer) == whole)
    let pool = WorkerPool(threads: 2)
    let parallel = try #require(try layer.compressed(scheme, step: 100, pool: pool))
    #expect(try Self.floats(parallel.layer) == whole)
  }

  @Test(arguments: FloatFormat.allCases)
  func trialsSeeTheRowsOfTheWholeLayer(format: FloatFormat) throws {
    let scheme = Scheme(quantization: QuantizationScheme(float: format))
    let layer = try Self.layer()
    let whole = try #require(try layer.compressed(scheme)).layer.weights.decoded(rows: 0..<140)
    let trial = try LayerTrial(matrix: layer.matrix, shape: layer.shape, scheme: scheme)
    let rows = trial.compressed(rows: [139, 2, 127, 128]).after
    for (place, row) in [139, 2, 127, 128].enumerated() {
      #expect(rows.row(place) == whole.row(row), "\(row)")
    }
  }

  @Test(arguments: FloatFormat.allCases, [Float(0.01), 1, 300])
  func errorsAreThoseOfTheirCodes(format: FloatFormat, scale: Float) throws {
    let scheme = Scheme(quantization: QuantizationScheme(float: format))
    let report = try #require(try Self.layer(scale: scale).compressed(scheme)).report
    let sqnr = try #require(report.error.sqnr)
    // Three bits of fraction give about 31 dB, one bit about 18 to 20, with its scales' own rounding.
    let band = format.bits == 8 ? 29.0...33.0 : 15.0...23.0
    #expect(band.contains(sqnr), "\(format) \(sqnr)")
  }

  @Test(arguments: [(FloatFormat.nvfp4, Float(0.95)), (.mxfp4, 0.99)])
  func searchedScalesAreNoWorseInAnyGroup(format: FloatFormat, gain: Float) throws {
    let layer = try Self.layer(rows: 24)
    func errors(_ range: RangeSearch) throws -> [Float] {
      let scheme = Scheme(quantization: QuantizationScheme(float: format, range: range))
      let after = try #require(try layer.compressed(scheme)).layer.weights.decoded(rows: 0..<24)
      let before = layer.matrix.decoded()
      let squares = zip(before.values, after.values).map { ($0 - $1) * ($0 - $1) }
      let size = try #require(format.groupSize)
      return stride(from: 0, to: squares.count, by: size).map {
        squares[$0..<$0 + size].reduce(0, +)
      }
    }
    let (searched, extremes) = (try errors(.mse), try errors(.minMax))
    for (searched, extreme) in zip(searched, extremes) { #expect(searched <= extreme * 1.0001) }
    #expect(searched.reduce(0, +) < gain * extremes.reduce(0, +))
  }

  @Test(arguments: FloatFormat.allCases)
  func zerosStayZeros(format: FloatFormat) throws {
    let scheme = Scheme(
      quantization: QuantizationScheme(float: format),
      sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 4)))
    let after = try #require(try Self.layer().compressed(scheme)).layer.weights.decoded(
      rows: 0..<140)
    for start in stride(from: 0, to: after.values.count, by: 4) {
      #expect(after.values[start..<start + 4].count { $0 == 0 } >= 2)
    }
  }

  @Test func usualLayersShareOneDivisor() throws {
    func divisor(scale: Float) throws -> Float {
      let scheme = Scheme(quantization: QuantizationScheme(float: .nvfp4))
      let layer = try #require(try Self.layer(rows: 16, scale: scale).compressed(scheme)).layer
      return try Self.floats(layer).divisor
    }
    #expect(try divisor(scale: 1) == 256)
    #expect(try divisor(scale: 0.2) == 256)
    let (small, large) = (try divisor(scale: 1e-5), try divisor(scale: 1e4))
    #expect(small > 256 && large < 256)
    #expect(small.significand == 1 && large.significand == 1)
  }

  @Test func productsAreThoseOfTheDecodedWeights() throws {
    let layer = try Self.layer()
    let inputs = Matrix.heavyTailed(rows: 9, columns: 160, seed: 5)
    let pool = WorkerPool(threads: 2)
    for format in FloatFormat.allCases {
      let scheme = Scheme(quantization: QuantizationScheme(float: format))
      let compressed = try #require(try layer.compressed(scheme)).layer
      let decoded = try #require(TestLayer(compressed.weights.decoded(rows: 0..<140))).matrix
      let found = pool.products(of: inputs, with: [compressed.weights])
      let expected = pool.products(of: inputs, with: [decoded])
      let largest = expected.values.reduce(0) { max($0, abs($1)) }
      for (found, expected) in zip(found.values, expected.values) {
        #expect(abs(found - expected) <= 1e-5 * largest)
      }
    }
  }

  @Test func rowsMayBeTakenOut() throws {
    let layer = try Self.layer()
    for format in FloatFormat.allCases {
      let scheme = Scheme(quantization: QuantizationScheme(float: format))
      let weights = try #require(try layer.compressed(scheme)).layer.weights
      let whole = weights.decoded()
      let rows = weights.selecting(rows: [130, 4], columns: nil)
      let taken = Array(whole.row(130)) + Array(whole.row(4))
      #expect(rows.holdsCodes == (format != .fp8Block))
      #expect(
        rows.decoded().values
          == (rows.holdsCodes ? taken : weights.type.widened(weights.type.rounded(taken))))
      let part = weights.selecting(rows: nil, columns: [159, 7])
      let kept = (0..<140).flatMap { [whole[$0, 159], whole[$0, 7]] }
      #expect(part.decoded().values == weights.type.widened(weights.type.rounded(kept)))
    }
  }

  @Test(arguments: [FloatFormat.nvfp4, .mxfp4])
  func sweepsLoseLessThanRounding(format: FloatFormat) throws {
    let layer = try Self.layer(rows: 40)
    let gram = Matrix.gram(columns: 160, count: 400, seed: 9)
    func loss(_ method: QuantizationMethod) throws -> Float {
      let scheme = Scheme(
        quantization: QuantizationScheme(float: format, range: .weighted, method: method))
      let result = try #require(
        try layer.compressed(scheme, statistics: InputStatistics(gram: gram)))
      #expect(result.layer.storedBytes == result.report.size.total)
      let (before, after) = (
        layer.matrix.decoded(), try Self.floats(result.layer).decoded(rows: 0..<40)
      )
      let differences = zip(before.values, after.values).map { $0 - $1 }
      return Matrix(rows: 40, columns: 160, values: differences).quadraticForms(gram).reduce(0) {
        $0 + Float($1)
      }
    }
    #expect(try loss(.gptq) < 0.8 * loss(.rtn))
  }

  @Test(arguments: [PruningMethod.sparsegpt, .wanda])
  func sweepsKeepZeros(method: PruningMethod) throws {
    let gram = Matrix.gram(columns: 160, count: 400, seed: 9)
    let scheme = Scheme(
      quantization: QuantizationScheme(float: .nvfp4, method: .gptq),
      sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 4), method: method))
    let result = try #require(
      try Self.layer(rows: 40).compressed(scheme, statistics: InputStatistics(gram: gram)))
    let after = try Self.floats(result.layer).decoded(rows: 0..<40)
    for start in stride(from: 0, to: after.values.count, by: 4) {
      #expect(after.values[start..<start + 4].count { $0 == 0 } >= 2)
    }
  }
}
