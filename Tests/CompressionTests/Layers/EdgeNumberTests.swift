@testable import Compression
import Tensors
import Testing

/// The rows of docs/numbers.md: what comes of layers and inputs at the edge of what numbers can say.
struct EdgeNumberTests {
  private static let rounding: [Scheme] = [
    Scheme(quantization: QuantizationScheme(bits: 4, group: .size(32))),
    Scheme(quantization: QuantizationScheme(bits: 3, group: .size(32), isSymmetric: false)),
    Scheme(quantization: QuantizationScheme(bits: 8, group: .channel)),
    Scheme(quantization: QuantizationScheme(bits: 4, group: .size(32), range: .mse)),
    Scheme(
      quantization: QuantizationScheme(bits: 4, group: .size(32), isSymmetric: false, method: .hqq)),
    Scheme(quantization: QuantizationScheme(block: .q4_0)),
    Scheme(quantization: QuantizationScheme(block: .q8_0)),
    Scheme(quantization: QuantizationScheme(block: .q4_K)),
    Scheme(quantization: QuantizationScheme(block: .q6_K)),
    Scheme(quantization: QuantizationScheme(float: .mxfp4)),
    Scheme(quantization: QuantizationScheme(float: .nvfp4)),
    Scheme(quantization: QuantizationScheme(float: .fp8)),
  ]
  private static let pruning: [Scheme] = [
    Scheme(sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 4))),
    Scheme(sparsity: SparsityScheme(pattern: .unstructured(ratio: 0.5))),
  ]
  private static let calibrated: [Scheme] = [
    Scheme(quantization: QuantizationScheme(bits: 4, group: .size(32), method: .gptq)),
    Scheme(sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 4), method: .wanda)),
    Scheme(sparsity: SparsityScheme(pattern: .unstructured(ratio: 0.5), method: .sparsegpt)),
  ]

  private func filled(_ value: (Int, Int) -> Float, rows: Int = 4, columns: Int = 256) -> Matrix {
    var matrix = Matrix(rows: rows, columns: columns)
    for row in 0..<rows {
      for column in 0..<columns { matrix[row, column] = value(row, column) }
    }
    return matrix
  }

  private func compressed(
    _ weights: Matrix, _ scheme: Scheme, _ statistics: InputStatistics? = nil
  ) throws -> (layer: CompressedLayer, report: LayerReport) {
    let layer = try #require(TestLayer(weights))
    return try #require(try layer.compressed(scheme, step: 4, statistics: statistics))
  }

  @Test(arguments: rounding + pruning)
  func aLayerOfZerosStaysZeros(scheme: Scheme) throws {
    let (layer, report) = try compressed(Matrix(rows: 4, columns: 256), scheme)
    #expect(layer.weights.decoded(rows: 0..<4).values.allSatisfy { $0 == 0 })
    #expect(report.error.mse == 0 && report.error.sqnr == nil && report.error.cosine == 1)
    #expect(report.zeroFraction == 1)
  }

  /// Half of a constant layer goes where it is pruned; rounding keeps each weight to within half a step of its grid.
  @Test(arguments: rounding + pruning)
  func aConstantLayerStaysConstant(scheme: Scheme) throws {
    let weights = filled { _, _ in 0.5 }
    let (layer, report) = try compressed(weights, scheme)
    let values = layer.weights.decoded(rows: 0..<4).values
    guard scheme.sparsity == nil else {
      #expect(values.count { $0 == 0 } == 512 && values.count { $0 == 0.5 } == 512)
      return
    }
    #expect(Set(values).count == 1)
    #expect(values.allSatisfy { abs($0 - 0.5) <= 0.5 / 14 })
    #expect(report.error.cosine > 0.999_999)
  }

  @Test func aLayerOfOneColumnIsRoundedByChannel() throws {
    let weights = filled({ row, _ in Float(row) - 1.5 }, columns: 1)
    let (layer, _) = try compressed(
      weights, Scheme(quantization: QuantizationScheme(bits: 8, group: .channel)))
    for (found, expected) in zip(layer.weights.decoded(rows: 0..<4).values, weights.values) {
      #expect(abs(found - expected) <= abs(expected) / 127)
    }
    // Groups and patterns need their width.
    #expect(throws: CompressionError.self) {
      try compressed(weights, Scheme(quantization: QuantizationScheme(bits: 4, group: .size(32))))
    }
  }

  /// Inputs that are always zero say nothing of their weights: the rest of the layer is as without them.
  @Test(arguments: calibrated)
  func deadInputsAreNoReasonToFail(scheme: Scheme) throws {
    var gram = Matrix.gram(columns: 256, count: 600, seed: 3)
    for channel in stride(from: 0, to: 256, by: 5) {
      for other in 0..<256 { (gram[channel, other], gram[other, channel]) = (0, 0) }
    }
    let weights = Matrix.heavyTailed(rows: 4, columns: 256, seed: 8)
    let (layer, report) = try compressed(
      weights, scheme, InputStatistics(gram: gram, tokens: 600))
    #expect(layer.weights.decoded(rows: 0..<4).values.firstNonFinite == nil)
    #expect(report.error.mse.isFinite && report.error.sqnr != nil)
  }

  /// A singular matrix of inputs' moments is damped until it can be factored, and with nothing known it is rounding.
  @Test(arguments: calibrated)
  func singularMomentsAreDamped(scheme: Scheme) throws {
    let weights = Matrix.heavyTailed(rows: 4, columns: 256, seed: 8)
    let one = InputStatistics(gram: filled({ _, _ in 1 }, rows: 256), tokens: 600)
    let (layer, _) = try compressed(weights, scheme, one)
    #expect(layer.weights.decoded(rows: 0..<4).values.firstNonFinite == nil)
    let nothing = InputStatistics(gram: Matrix(rows: 256, columns: 256), tokens: 600)
    let (blind, _) = try compressed(weights, scheme, nothing)
    #expect(blind.weights.decoded(rows: 0..<4).values.firstNonFinite == nil)
    if let quantization = scheme.quantization {
      var plain = quantization
      plain.method = .rtn
      let (rounded, _) = try compressed(weights, Scheme(quantization: plain))
      #expect(blind.weights.decoded(rows: 0..<4) == rounded.weights.decoded(rows: 0..<4))
    }
  }

  /// MXFP4's largest number in BF16 is below the largest weight of BF16.
  @Test func whatOverflowsIsNamed() throws {
    let weights = filled { row, column in row == 2 && column == 7 ? 3.3e38 : 0.25 }
    let layer = try #require(TestLayer(weights))
    do {
      _ = try layer.compressed(Scheme(quantization: QuantizationScheme(float: .mxfp4)), step: 4)
      Issue.record("compressed")
    } catch {
      #expect(
        "\(error)".hasPrefix(
          "layer, row 2: holds a weight of magnitude 3.3e+38, which overflows as MXFP4"),
        "\(error)")
    }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func whatIsNoNumberIsNamed(value: Float) throws {
    let weights = filled { row, column in row == 3 && column == 5 ? value : 0.25 }
    #expect(weights.values.firstNonFinite == 3 * 256 + 5)
    let layer = try #require(TestLayer(weights))
    let place = try #require(layer.matrix.firstNonFinite)
    #expect(place.row == 3 && place.column == 5)
    for scheme in Self.rounding.prefix(2) + Self.pruning {
      do {
        _ = try layer.compressed(scheme, step: 4)
        Issue.record("compressed")
      } catch {
        #expect("\(error)".hasPrefix("layer, row 3: holds a NaN or an infinity"), "\(error)")
      }
    }
  }
}
