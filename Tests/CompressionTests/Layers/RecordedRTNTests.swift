import Compression
import Tensors
import TestSupport
import Testing

/// Compares with what numpy gives (Tests/Oracles/record_rtn.py).
struct RecordedRTNTests {
  struct Recording: Decodable {
    let matrices: [RecordedMatrix]
    let cases: [RecordedCase]
  }

  struct RecordedMatrix: Decodable {
    let kind: String
    let rows: Int
    let columns: Int
    let weights: PackedNumbers

    func layer() -> TestLayer? {
      guard kind == "BF16" else {
        return TestLayer(bytes: weights.bytes, type: .float32, rows: rows, columns: columns)
      }
      let upper = stride(from: 0, to: weights.bytes.count, by: 4).flatMap {
        weights.bytes[$0 + 2...$0 + 3]
      }
      return TestLayer(bytes: upper, type: .bfloat16, rows: rows, columns: columns)
    }
  }

  struct RecordedCase: Decodable {
    let matrix: Int
    let sparsity: String?
    let bits: Int
    let group: String
    let symmetric: Bool
    let codes: PackedNumbers
    let scales: PackedNumbers
    let zeros: PackedNumbers?
    let metrics: Metrics
    let searchedMSE: Double

    func scheme(_ range: RangeSearch) -> Scheme? {
      guard let group = GroupSize(group) else { return nil }
      return Scheme(
        quantization: QuantizationScheme(
          bits: bits, group: group, isSymmetric: symmetric, range: range),
        sparsity: sparsity.map { SparsityScheme(pattern: Self.pattern($0)) })
    }

    static func pattern(_ text: String) -> SparsityPattern {
      let parts = text.split(separator: ":").compactMap { Int($0) }
      return parts.count == 2
        ? .structured(kept: parts[0], of: parts[1])
        : .unstructured(ratio: Double(text) ?? 0)
    }

    var name: String { "\(matrix) \(bits) bit \(group) \(symmetric) \(sparsity ?? "dense")" }
  }

  struct Metrics: Decodable {
    let mse: Double
    let sqnr: Double?
    let cosine: Double
    let maxError: Double
    let zeroFraction: Double
  }

  let recording: Recording

  init() throws {
    recording = try fixture("rtn.json", as: Recording.self)
  }

  @Test func givesTheSameCodesScalesAndZeroPoints() throws {
    for recorded in recording.cases {
      let layer = try #require(recording.matrices[recorded.matrix].layer())
      let scheme = try #require(recorded.scheme(.minMax))
      let result = try #require(try layer.compressed(scheme))
      guard case .packed(let packed) = result.layer.weights else {
        Issue.record("\(recorded.name) is not packed")
        continue
      }
      #expect(packed.unpackedCodes() == recorded.codes.bytes, "\(recorded.name)")
      #expect(packed.scales == recorded.scales.halves, "\(recorded.name)")
      if let zeros = recorded.zeros {
        #expect(packed.zeros == .points(zeros.bytes), "\(recorded.name)")
      } else {
        #expect(packed.zeros == .symmetric)
      }
    }
  }

  @Test func reportsTheSameErrors() throws {
    for recorded in recording.cases {
      let layer = try #require(recording.matrices[recorded.matrix].layer())
      let scheme = try #require(recorded.scheme(.minMax))
      let report = try #require(try layer.compressed(scheme)).report
      #expect(report.standing == .exact)
      let (error, expected) = (report.error, recorded.metrics)
      #expect(abs(error.mse / expected.mse - 1) < 1e-9, "\(recorded.name)")
      #expect(abs((error.sqnr ?? 0) - (expected.sqnr ?? 0)) < 1e-6, "\(recorded.name)")
      #expect(abs(error.cosine - expected.cosine) < 1e-9, "\(recorded.name)")
      #expect(abs(error.maxError / expected.maxError - 1) < 1e-6, "\(recorded.name)")
      #expect(report.zeroFraction == expected.zeroFraction, "\(recorded.name)")
    }
  }

  @Test func searchesTheRangeAsWell() throws {
    for recorded in recording.cases {
      let layer = try #require(recording.matrices[recorded.matrix].layer())
      let scheme = try #require(recorded.scheme(.mse))
      let report = try #require(try layer.compressed(scheme)).report
      // Sums in another precision may prefer another factor, but only between near equals.
      #expect(abs(report.error.mse / recorded.searchedMSE - 1) < 1e-4, "\(recorded.name)")
      #expect(report.error.mse <= recorded.metrics.mse * (1 + 1e-6), "\(recorded.name)")
    }
  }
}
