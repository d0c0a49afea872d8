import Compression
import Tensors
import Testing

/// Float formats in plans.
struct FloatFormatPlanTests {
  private func scheme(_ rules: String) throws -> QuantizationScheme? {
    try BlockTypePlanTests.scheme(rules)?.quantization
  }

  @Test func aTypeDecidesTheRest() throws {
    for format in FloatFormat.allCases {
      let found = try scheme("  - layers: \"*\"\n    type: \(format.rawValue)\n")
      #expect(found == QuantizationScheme(float: format))
      #expect(found?.bits == format.bits && found?.hasFreeGroups == false)
    }
  }

  @Test func whatComesLastDecides() throws {
    let float = "  - layers: \"*\"\n    type: NVFP4\n"
    let block = "  - layers: down\n    type: Q4_K\n"
    #expect(try scheme(float + block) == QuantizationScheme(block: .q4_K))
    #expect(try scheme(block + float) == QuantizationScheme(float: .nvfp4))
    let bits = try #require(try scheme(float + "  - layers: down\n    group: 64\n"))
    #expect(bits == QuantizationScheme(bits: 4, group: .size(64)))
  }

  @Test(arguments: FloatFormat.allCases)
  func plansAreWrittenAsTheyAreRead(format: FloatFormat) throws {
    let exact = Scheme(quantization: QuantizationScheme(float: format))
    let layer = BlockTypePlanTests.layer
    let plan = Plan(schemes: [layer.name: exact], for: [layer])
    #expect(plan.yaml().contains("type: \(format.rawValue)\n"))
    #expect(try Plan(yaml: plan.yaml()) == plan)
    #expect(try plan.schemes(for: [layer])[layer.name] == exact)
  }

  @Test func mistakesSayWhatWouldFit() {
    func reason(_ scheme: QuantizationScheme, columns: Int = 512) -> String? {
      let layer = LayerShape(name: "down", rows: 4, columns: columns, type: .float16)
      do throws(PlanError) {
        try Scheme(quantization: scheme).validated(for: layer)
        return nil
      } catch {
        return error.reason
      }
    }
    #expect(reason(.init(float: .nvfp4), columns: 40)?.contains("fits: FP8, FP8_BLOCK") == true)
    #expect(reason(.init(float: .mxfp4), columns: 48)?.contains("FP8_BLOCK, NVFP4") == true)
    #expect(reason(.init(float: .fp8), columns: 13) == nil)
    #expect(reason(.init(float: .mxfp4, method: .hqq))?.contains("rtn, awq, gptq") == true)
    #expect(reason(.init(float: .fp8, method: .gptq))?.contains("rtn, awq") == true)
    #expect(reason(.init(float: .nvfp4, method: .gptq)) == nil)
    #expect(reason(.init(float: .fp8, range: .mse))?.contains("minmax") == true)
  }
}
