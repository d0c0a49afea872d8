import Testing

@testable import Compression
@testable import Tensors

/// HQQ against numpy (Tests/Oracles/record_hqq.py).
struct HalfQuadraticTests {
  struct Case: Decodable {
    let bits: Int
    let weights: [Float]
    let zeros: [Double]
  }

  @Test func findsTheZerosThatNumpyFinds() throws {
    let cases = try fixture("hqq.json", as: [Case].self)
    #expect(cases.count == 4)
    for recorded in cases {
      let matrix = Matrix(rows: 4, columns: 64, values: recorded.weights)
      let grid = QuantizationGrid(
        fitting: matrix, bits: recorded.bits, groupSize: 64, isSymmetric: false, fit: .extremes,
        scaleType: .float16)
      let found = grid.halfQuadraticZeros(for: matrix)
      for (zero, expected) in zip(found, recorded.zeros) {
        #expect(abs(Double(zero) - expected) < 2e-3)
      }
      let moved = grid.withHalfQuadraticZeros(for: matrix)
      #expect(moved.scales == grid.scales)
      #expect(
        zip(moved.zeros, found).allSatisfy {
          abs($0 - $1) <= 0.5 || $0 == -Float(1 << (recorded.bits - 1))
        })
    }
  }

  /// Of a type with a minimum, nothing is lost by rounding zeros: the norm that they minimise falls.
  @Test(arguments: [BlockType.q4_1, .q5_1])
  func minimumsKeepWhatWasFound(block: BlockType) {
    var values: [Float] = []
    for index in 0..<640 {
      let wave = Float((index * 7919) % 640) / 640 - 0.45
      values.append(wave * wave * wave * (index % 31 == 0 ? 9 : 1))
    }
    let matrix = Matrix(rows: 2, columns: 320, values: values)
    func norm(_ method: QuantizationMethod) -> Float {
      let grid = QuantizationGrid(
        fitting: matrix, scheme: QuantizationScheme(block: block, range: .minMax, method: method),
        weights: nil, scaleType: .float16)
      let after = grid.weights(of: grid.nearest(matrix)).values
      return zip(values, after).reduce(0) { $0 + abs($1.0 - $1.1) }
    }
    #expect(norm(.hqq) < norm(.rtn))
  }

  @Test func asksForZeroPoints() {
    let layer = LayerShape(name: "a", rows: 4, columns: 256, type: .float16)
    func reason(_ quantization: QuantizationScheme) -> String? {
      do throws(PlanError) {
        try Scheme(quantization: quantization).validated(for: layer)
        return nil
      } catch {
        return error.reason
      }
    }
    let symmetric = QuantizationScheme(bits: 4, method: .hqq)
    #expect(reason(symmetric)?.contains("symmetric codes do not have") == true)
    #expect(reason(QuantizationScheme(block: .q4_K, method: .hqq))?.contains("Q4_1") == true)
    #expect(reason(QuantizationScheme(bits: 4, isSymmetric: false, method: .hqq)) == nil)
  }
}
