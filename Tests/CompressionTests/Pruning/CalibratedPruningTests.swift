@testable import Compression
import Tensors
import Testing

struct CalibratedPruningTests {
  private static let rows = 23
  private static let columns = 192

  private let layer: TestLayer
  private let statistics: InputStatistics

  init() throws {
    let weights = Matrix.heavyTailed(rows: Self.rows, columns: Self.columns, seed: 41)
    layer = try #require(TestLayer(weights))
    statistics = InputStatistics(gram: .gram(columns: Self.columns, count: 300, seed: 42))
  }

  private static let quantizations: [QuantizationScheme?] = [
    nil,
    QuantizationScheme(bits: 4, group: .size(32), isSymmetric: false),
    QuantizationScheme(bits: 4, group: .size(32), isSymmetric: false, method: .gptq),
    QuantizationScheme(block: .q4_0, range: .weighted, method: .gptq),
  ]

  @Test(arguments: [PruningMethod.magnitude, .wanda, .sparsegpt], quantizations)
  func zeroesExactlyTheRatio(method: PruningMethod, quantization: QuantizationScheme?) throws {
    let pattern = SparsityPattern.unstructured(ratio: 0.37)
    let after = try compressed(pattern, method, quantization)
    let expected = pattern.zeros(rows: Self.rows, columns: Self.columns)
    let zeros = after.values.filter { $0 == 0 }.count
    // Rounding makes zeros of its own.
    #expect(quantization == nil ? zeros == expected : zeros >= expected)
    guard method == .wanda, quantization == nil else { return }
    for row in 0..<Self.rows {
      let zeros = after.row(row).filter { $0 == 0 }.count
      #expect(zeros == pattern.zeros(inRow: row, columns: Self.columns))
    }
  }

  @Test(arguments: [PruningMethod.magnitude, .wanda, .sparsegpt], quantizations)
  func keepsThePattern(method: PruningMethod, quantization: QuantizationScheme?) throws {
    for (kept, of) in [(2, 4), (1, 3), (5, 32)] {
      let after = try compressed(.structured(kept: kept, of: of), method, quantization)
      for start in stride(from: 0, to: after.values.count, by: of) {
        let zeros = after.values[start..<start + of].filter { $0 == 0 }.count
        #expect(quantization == nil ? zeros == of - kept : zeros >= of - kept)
      }
    }
  }

  @Test(arguments: [SparsityPattern.unstructured(ratio: 0.5), .structured(kept: 2, of: 4)])
  func sweepsCostOutputsLess(pattern: SparsityPattern) throws {
    let gram = try #require(statistics.gram)
    func loss(_ method: PruningMethod, _ quantization: QuantizationScheme? = nil) throws -> Double {
      let after = try compressed(pattern, method, quantization)
      let before = layer.matrix.decoded(rows: 0..<Self.rows)
      let errors = zip(after.values, before.values).map { $0 - $1 }
      return Matrix(rows: Self.rows, columns: Self.columns, values: errors)
        .quadraticForms(gram).reduce(0, +)
    }
    let wanda = try loss(.wanda)
    // A ratio lets magnitude choose among rows, which Wanda does not.
    if case .structured = pattern { #expect(try wanda < loss(.magnitude)) }
    #expect(try loss(.sparsegpt) < wanda)
    let rounded = QuantizationScheme(bits: 3, group: .size(32))
    let swept = QuantizationScheme(bits: 3, group: .size(32), method: .gptq)
    #expect(try loss(.wanda, swept) < loss(.wanda, rounded))
  }

  @Test func zerosOutliveQuantization() throws {
    let sparse = try compressed(.unstructured(ratio: 0.5), .wanda, nil)
    for quantization in Self.quantizations {
      let after = try compressed(.unstructured(ratio: 0.5), .wanda, quantization)
      #expect(zip(sparse.values, after.values).allSatisfy { $0 != 0 || $1 == 0 })
    }
  }

  @Test func unseenInputsGoByMagnitude() throws {
    let moments = [Float](repeating: 0, count: Self.columns)
    let blind = InputStatistics(tokens: 1, means: moments, secondMoments: moments)
    let scheme = Scheme(
      sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 4), method: .wanda))
    let result = try #require(try layer.compressed(scheme, statistics: blind))
    let expected = try compressed(.structured(kept: 2, of: 4), .magnitude, nil)
    #expect(result.layer.weights.decoded(rows: 0..<Self.rows) == expected)
  }

  @Test(arguments: [
    Scheme(quantization: QuantizationScheme(bits: 4, method: .gptq)),
    Scheme(quantization: QuantizationScheme(bits: 4, range: .weighted)),
    Scheme(sparsity: SparsityScheme(pattern: .unstructured(ratio: 0.5), method: .wanda)),
    Scheme(sparsity: SparsityScheme(pattern: .unstructured(ratio: 0.5), method: .sparsegpt)),
  ])
  func asksForCalibration(scheme: Scheme) throws {
    let error = try #require(throws: CompressionError.self) { try layer.compressed(scheme) }
    #expect(error.reason.contains("calibrate first"))
    let other = InputStatistics(gram: .gram(columns: 64, count: 10, seed: 1))
    #expect(throws: CompressionError.self) {
      try layer.compressed(scheme, statistics: other)
    }
    guard scheme.calibrationNeed == .gram else { return }
    let moments = InputStatistics(
      tokens: 1, means: statistics.means, secondMoments: statistics.secondMoments)
    let lack = try #require(throws: CompressionError.self) {
      try layer.compressed(scheme, statistics: moments)
    }
    #expect(lack.reason.contains("an imatrix is not enough"))
    let factor = HessianFactor(
      gram: try #require(statistics.gram), ordering: try #require(scheme.sweepOrder))
    #expect(try layer.compressed(scheme, statistics: moments, factor: factor) != nil)
  }

  private func compressed(
    _ pattern: SparsityPattern, _ method: PruningMethod, _ quantization: QuantizationScheme?
  ) throws -> Matrix {
    let scheme = Scheme(
      quantization: quantization, sparsity: SparsityScheme(pattern: pattern, method: method))
    let result = try #require(try layer.compressed(scheme, statistics: statistics))
    return result.layer.weights.decoded(rows: 0..<Self.rows)
  }
}
