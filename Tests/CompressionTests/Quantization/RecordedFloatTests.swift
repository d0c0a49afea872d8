import Compression
import Tensors
import TestSupport
import Testing

/// Compares with what compressed-tensors gives (Tests/Oracles/record_floats.py).
struct RecordedFloatTests {
  struct Recording: Decodable {
    let matrices: [RecordedMatrix]
    let cases: [RecordedCase]
  }

  struct RecordedMatrix: Decodable {
    let type: ElementType
    let rows: Int
    let columns: Int
    let weights: PackedNumbers

    func layer() -> TestLayer? {
      TestLayer(bytes: weights.bytes, type: type, rows: rows, columns: columns)
    }
  }

  struct RecordedCase: Decodable {
    let matrix: Int
    let format: FloatFormat
    let codes: PackedNumbers
    let scales: PackedNumbers
    let decoded: PackedNumbers
    let decodedType: String
  }

  let recording: Recording

  init() throws {
    recording = try fixture("floats.json", as: Recording.self)
    #expect(Set(recording.cases.map(\.format)) == Set(FloatFormat.allCases))
  }

  private func floats(_ recorded: RecordedCase) throws -> FloatMatrix {
    let layer = try #require(recording.matrices[recorded.matrix].layer())
    let scheme = Scheme(quantization: QuantizationScheme(float: recorded.format, range: .minMax))
    let result = try #require(try layer.compressed(scheme))
    guard case .floats(let matrix) = result.layer.weights else {
      throw UnexpectedStorage()
    }
    return matrix
  }

  private struct UnexpectedStorage: Error {}

  @Test func givesTheSameCodesAndScales() throws {
    for recorded in recording.cases {
      let matrix = try floats(recorded)
      #expect(matrix.codes == recorded.codes.bytes, "\(recorded.format)")
      let groups = recorded.format.groups(inRowOf: matrix.columns)
      let expected =
        recorded.format.bits == 8
        ? recorded.scales.halves : recorded.scales.bytes.map { UInt16($0) }
      let stored = (0..<matrix.rows).filter { $0 % recorded.format.rowsAScale == 0 }.flatMap {
        matrix.scales[$0 * groups..<($0 + 1) * groups]
      }
      #expect(stored == expected, "\(recorded.format)")
    }
  }

  @Test func decodesToTheSameWeights() throws {
    for recorded in recording.cases {
      let matrix = try floats(recorded)
      #expect(recorded.decodedType == (matrix.type == .bfloat16 ? "bfloat16" : "float16"))
      // compressed-tensors rounds its products, to the type of scales or to BF16.
      let found = matrix.type.rounded(matrix.decoded(rows: 0..<matrix.rows).values)
      #expect(found == recorded.decoded.halves, "\(recorded.format)")
    }
  }
}
