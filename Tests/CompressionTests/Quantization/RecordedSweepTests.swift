@testable import Compression
import Tensors
import TestSupport
import Testing

/// Compares with what numpy gives (Tests/Oracles/record_sweeps.py).
struct RecordedSweepTests {
  struct Recording: Decodable {
    let rows: Int
    let columns: Int
    let group: Int
    let weights: PackedNumbers
    let gram: PackedNumbers
    let cases: [RecordedCase]
  }

  struct RecordedCase: Decodable {
    let method: String
    let result: PackedNumbers
    let bits: Int?
    let symmetric: Bool?
    let sparsity: String?
  }

  private let recording: Recording
  private let layer: TestLayer
  private let statistics: InputStatistics

  init() throws {
    recording = try fixture("sweeps.json", as: Recording.self)
    let (rows, columns) = (recording.rows, recording.columns)
    let weights = Matrix(rows: rows, columns: columns, values: recording.weights.floats)
    layer = try #require(TestLayer(weights))
    statistics = InputStatistics(
      gram: Matrix(rows: columns, columns: columns, values: recording.gram.floats))
  }

  private func scheme(_ recorded: RecordedCase) -> Scheme {
    let pruning: PruningMethod = recorded.method == "wanda" ? .wanda : .sparsegpt
    return Scheme(
      quantization: recorded.bits.map {
        QuantizationScheme(
          bits: $0, group: .size(recording.group), isSymmetric: recorded.symmetric ?? true,
          method: recorded.method == "awq" ? .awq : .gptq)
      },
      sparsity: recorded.sparsity.map {
        SparsityScheme(pattern: RecordedRTNTests.RecordedCase.pattern($0), method: pruning)
      })
  }

  @Test func sweepsGiveTheSameWeights() throws {
    for recorded in recording.cases where recorded.method != "awq" {
      let result = try #require(try layer.compressed(scheme(recorded), statistics: statistics))
      let after = result.layer.weights.decoded(rows: 0..<recording.rows)
      let expected = recorded.result.floats
      let name = "\(recorded.method) \(recorded.bits ?? 16) \(recorded.sparsity ?? "dense")"
      // Weights that are pruned only are stored in 16 bits; a code may differ where float64 rounds the other way.
      let differing = zip(after.values, expected).filter {
        abs($0 - $1) > 1e-3 * abs($1) + 1e-6
      }
      #expect(differing.count <= expected.count / 500, "\(name): \(differing.count) differ")
      #expect(zip(after.values, expected).allSatisfy { ($0 == 0) == ($1 == 0) }, "\(name)")
    }
  }

  @Test func searchFindsTheSameScales() throws {
    let recorded = try #require(recording.cases.first { $0.method == "awq" })
    var search = try AWQSearch(
      layers: [.init(matrix: layer.matrix, shape: layer.shape, scheme: scheme(recorded))],
      statistics: statistics)
    while !search.isFinished { try search.step() }
    let scales = try #require(search.finish())
    for (scale, expected) in zip(scales, recorded.result.floats) {
      #expect(abs(scale / expected - 1) < 1e-4)
    }
  }
}
