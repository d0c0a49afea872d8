import Compression
import Tensors
import TestSupport
import Testing

/// GGUF block types in plans.
struct BlockTypePlanTests {
  static let layer = LayerShape(name: "down", rows: 64, columns: 512, type: .float16)

  static func scheme(_ yaml: String, for layer: LayerShape = layer) throws -> Scheme? {
    try Plan(yaml: "vise: 1\nrules:\n" + yaml).schemes(for: [layer])[layer.name]
  }

  @Test func aTypeDecidesBitsGroupAndSymmetry() throws {
    let quantization = try #require(
      try Self.scheme("  - layers: \"*\"\n    type: Q4_K\n")?.quantization)
    #expect(quantization == QuantizationScheme(block: .q4_K))
    #expect(quantization.bits == 4 && quantization.group == .size(32))
    #expect(!quantization.isSymmetric && quantization.range == .mse)
  }

  @Test func whatComesLastDecides() throws {
    let type = "  - layers: \"*\"\n    type: Q3_K\n    method: gptq\n"
    let bits = "  - layers: down\n    bits: 5\n"
    let later = try #require(try Self.scheme(type + bits)?.quantization)
    #expect(later.block == nil && later.bits == 5 && later.range == .weighted)
    let group = try #require(
      try Self.scheme(type + "  - layers: down\n    group: 64\n")?.quantization)
    #expect(group.block == nil && group.bits == 3 && group.group == .size(64))
    let earlier = try #require(try Self.scheme(bits + type)?.quantization)
    #expect(earlier.block == .q3_K && earlier.bits == 3)
  }

  @Test func plansAreWrittenAsTheyAreRead() throws {
    let plan = Plan(rules: [
      PlanRule(layers: ["*"], change: SchemeChange(block: .q5_1, range: .weighted, method: .gptq))
    ])
    #expect(try Plan(yaml: plan.yaml()) == plan)
  }

  @Test func mistakesSayWhatWouldFit() {
    func reason(_ yaml: String, columns: Int) -> String? {
      let layer = LayerShape(name: "down", rows: 4, columns: columns, type: .float16)
      do throws(PlanError) {
        _ = try Plan(yaml: "vise: 1\nrules:\n" + yaml).schemes(for: [layer])
        return nil
      } catch {
        return error.reason
      }
    }
    let narrow = reason("  - layers: \"*\"\n    type: Q4_K\n", columns: 576)
    #expect(narrow?.contains("what fits: Q4_0, Q4_1, Q5_0, Q5_1, Q8_0") == true)
    let both = reason("  - layers: \"*\"\n    type: Q4_K\n    bits: 4\n", columns: 512)
    #expect(both?.contains("a `type` decides `bits` itself") == true)
    let pruned = reason(
      "  - layers: \"*\"\n    type: Q4_1\n    sparsity: { ratio: 0.5 }\n", columns: 512)
    #expect(pruned?.contains("no code for an exact zero") == true)
  }

  @Test(arguments: BlockType.allCases)
  func predictedBytesAreTheBytesStored(block: BlockType) throws {
    let values = (0..<Self.layer.rows * Self.layer.columns).map {
      Float(($0 * 37) % 101) / 100 - 0.5
    }
    let bits = ElementType.float16.rounded(values)
    let matrix = LayerWeights.dense(
      bits: bits, type: .float16, rows: Self.layer.rows, columns: Self.layer.columns)
    let scheme = Scheme(quantization: QuantizationScheme(block: block))
    var compressor = try LayerCompressor(matrix: matrix, shape: Self.layer, scheme: scheme)
    while !compressor.isFinished { try compressor.step(rows: 11) }
    let result = try #require(compressor.finish(original: matrix.byteCount))
    #expect(result.layer.storedBytes == result.report.size.total)
    #expect(
      result.layer.storedBytes
        == values.count / block.blockSize * block.elementType.bytesPerBlock)
    #expect((result.report.error.sqnr ?? 100) > Double(block.bits) * 5)
  }
}
