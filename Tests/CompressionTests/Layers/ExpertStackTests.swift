@testable import Compression
import Tensors
import Testing
import TestSupport

/// Stacks of experts against each expert's matrix compressed alone with what it reads.
struct ExpertStackTests {
  private static let experts = 3
  private static let rows = 24
  private static let columns = 192

  private let alone: [TestLayer]
  private let stack: TestLayer
  private let statistics: [InputStatistics]

  init() throws {
    let weights = (0..<Self.experts).map {
      Matrix.heavyTailed(rows: Self.rows, columns: Self.columns, seed: UInt64(60 + $0))
    }
    alone = try weights.map { try #require(TestLayer($0)) }
    let all = Matrix(
      rows: Self.experts * Self.rows, columns: Self.columns, values: weights.flatMap(\.values))
    stack = try #require(TestLayer(name: "mlp.experts.up_proj", all, count: Self.experts))
    statistics = (0..<Self.experts).map {
      InputStatistics(
        gram: .gram(columns: Self.columns, count: 300, seed: UInt64(70 + $0)), tokens: 300)
    }
  }

  /// Statistics of the whole that fit no expert.
  private func stacked(_ experts: [InputStatistics?]) -> InputStatistics {
    InputStatistics(
      tokens: 900, means: Array(repeating: 0, count: Self.columns),
      secondMoments: (0..<Self.columns).map { Float($0 % 7) }
    ).with(experts: experts)
  }

  private static let gptq = QuantizationScheme(
    bits: 3, group: .size(32), isSymmetric: false, method: .gptq)
  private static let schemes: [Scheme] = [
    Scheme(quantization: gptq),
    Scheme(quantization: QuantizationScheme(bits: 4, range: .weighted)),
    Scheme(quantization: QuantizationScheme(block: .q4_0, range: .weighted, method: .gptq)),
    Scheme(quantization: QuantizationScheme(float: .mxfp4, method: .gptq)),
    Scheme(sparsity: SparsityScheme(pattern: .unstructured(ratio: 0.5), method: .wanda)),
    Scheme(sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 4), method: .wanda)),
    Scheme(sparsity: SparsityScheme(pattern: .unstructured(ratio: 0.5), method: .sparsegpt)),
    Scheme(sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 4), method: .sparsegpt)),
    Scheme(
      quantization: gptq,
      sparsity: SparsityScheme(pattern: .unstructured(ratio: 0.5), method: .sparsegpt)),
  ]

  @Test(arguments: schemes)
  func theyAreWhatTheirExpertsAreAlone(scheme: Scheme) throws {
    for pool in [nil, WorkerPool(threads: 2)] {
      let found = try #require(
        try stack.compressed(
          scheme, step: 10, statistics: stacked(statistics), pool: pool))
      #expect(found.report.missedExperts.isEmpty && found.report.missedExpertsNote == nil)
      var (mse, zeros) = (0.0, 0.0)
      for expert in 0..<Self.experts {
        let single = try #require(
          try alone[expert].compressed(scheme, statistics: statistics[expert]))
        expectSame(found.layer, expert, single.layer)
        mse += single.report.error.mse / Double(Self.experts)
        zeros += single.report.zeroFraction / Double(Self.experts)
      }
      #expect(abs(found.report.error.mse / mse - 1) < 1e-9)
      #expect(abs(found.report.zeroFraction - zeros) < 1e-9)
    }
  }

  /// Values to the bit, and codes where they are plain.
  private func expectSame(
    _ layer: CompressedLayer, _ expert: Int, _ single: CompressedLayer,
    _ location: SourceLocation = #_sourceLocation
  ) {
    let part = expert * Self.rows..<(expert + 1) * Self.rows
    let (stacked, own) = (
      layer.weights.decoded(rows: part), single.weights.decoded(rows: 0..<Self.rows)
    )
    #expect(
      stacked.values.map(\.bitPattern) == own.values.map(\.bitPattern), sourceLocation: location)
    guard case .packed(let all) = layer.weights, case .packed(let packed) = single.weights else {
      return
    }
    let codes = packed.codes.count
    #expect(
      Array(all.codes[expert * codes..<(expert + 1) * codes]) == Array(packed.codes),
      sourceLocation: location)
  }

  /// A row is the same by itself, in any order, whoever makes the factor.
  @Test(arguments: schemes.filter { !$0.sweepsBlockwise })
  func trialsAreRowsOfTheWhole(scheme: Scheme) throws {
    let known = stacked(statistics)
    let whole = try #require(try stack.compressed(scheme, statistics: known)).layer
    let trial = try LayerTrial(
      matrix: stack.matrix, shape: stack.shape, scheme: scheme, statistics: known)
    let rows = [5, 70, 2, 30, 31, 71, 0]
    let found = trial.compressed(rows: rows)
    for (place, row) in rows.enumerated() {
      #expect(Array(found.after.row(place)) == whole.weights.decoded(rows: row..<row + 1).values)
      #expect(Array(found.before.row(place)) == stack.matrix.decoded(rows: row..<row + 1).values)
    }
    guard let order = scheme.sweepOrder, let gram = statistics[1].gram else { return }
    let factor = HessianFactor(gram: gram, ordering: order)
    #expect(
      trial.compressed(rows: [30, 31], factor: factor).after
        == trial.compressed(rows: [30, 31]).after)
  }

  /// Of too few tokens nothing is made; the other experts are as ever.
  @Test func missedExpertsAreRoundedAndNamed() throws {
    let few = InputStatistics(
      gram: try #require(statistics[2].gram), tokens: InputStatistics.leastTokens - 1)
    let known = stacked([statistics[0], nil, few])
    let found = try #require(
      try stack.compressed(Scheme(quantization: Self.gptq), statistics: known))
    #expect(found.report.missedExperts == [1, 2] && known.missedExperts == [1, 2])
    #expect(
      found.report.missedExpertsNote
        == "experts 1 and 2 of mlp.experts.up_proj read fewer than 16 calibration tokens: "
        + "rounded to nearest")
    var rounding = Self.gptq
    rounding.method = .rtn
    let swept = try #require(
      try alone[0].compressed(Scheme(quantization: Self.gptq), statistics: statistics[0]))
    expectSame(found.layer, 0, swept.layer)
    for expert in [1, 2] {
      let rounded = try #require(try alone[expert].compressed(Scheme(quantization: rounding)))
      expectSame(found.layer, expert, rounded.layer)
    }
    let profile = try #require(try stack.profile())
    let preview = try LayerPreview(
      matrix: stack.matrix, shape: stack.shape, scheme: Scheme(quantization: Self.gptq),
      profile: profile, statistics: known)
    #expect(try preview.report(original: 1).missedExperts == [1, 2])
  }

  @Test(arguments: [SparsityPattern.unstructured(ratio: 0.5), .structured(kept: 2, of: 4)])
  func missedExpertsArePrunedByMagnitude(pattern: SparsityPattern) throws {
    let known = stacked([nil, statistics[1], statistics[2]])
    for method in [PruningMethod.wanda, .sparsegpt] {
      let found = try #require(
        try stack.compressed(
          Scheme(sparsity: SparsityScheme(pattern: pattern, method: method)), statistics: known))
      #expect(
        found.report.missedExpertsNote
          == "expert 0 of mlp.experts.up_proj read fewer than 16 calibration tokens: "
          + "pruned by magnitude")
      let after = found.layer.weights.decoded(rows: 0..<Self.rows)
      let before = alone[0].matrix.decoded(rows: 0..<Self.rows)
      for row in 0..<Self.rows {
        let pairs = zip(before.row(row), after.row(row))
        let gone = pairs.filter { $0.1 == 0 }.map { abs($0.0) }
        #expect(gone.count == Self.columns / 2)
        guard case .unstructured = pattern else { continue }
        let left = pairs.filter { $0.1 != 0 }.map { abs($0.0) }
        #expect(gone.max() ?? .infinity <= left.min() ?? 0)
      }
    }
  }

  @Test func statisticsOfOtherExpertsAreRefused() throws {
    func message(_ experts: [InputStatistics?]) -> String? {
      let error = #expect(throws: CompressionError.self) {
        try stack.compressed(Scheme(quantization: Self.gptq), statistics: stacked(experts))
      }
      return error?.description
    }
    #expect(message([statistics[0], nil])?.contains("for 2 experts, not 3") == true)
    let narrow = InputStatistics(gram: .gram(columns: 64, count: 70, seed: 1), tokens: 70)
    #expect(message([narrow, nil, nil])?.contains("for 64 input channels, not 192") == true)
    let moments = statistics.map(\.withoutGram)
    #expect(message(moments)?.contains("is no Gram matrix") == true)
  }
}
