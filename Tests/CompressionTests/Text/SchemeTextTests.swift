@testable import Compression
import Tensors
import Testing

/// One grammar for schemes and sizes, on the command line, in the workbench and in plans.
struct SchemeTextTests {
  private static let schemes: [Scheme] =
    [
      QuantizationScheme(bits: 4), QuantizationScheme(bits: 8, group: .channel),
      QuantizationScheme(bits: 3, group: .size(32), isSymmetric: false, range: .mse),
      QuantizationScheme(bits: 4, group: .size(128), range: .weighted, method: .gptq),
      QuantizationScheme(bits: 5, isSymmetric: false, method: .hqq),
      QuantizationScheme(block: .q4_K), QuantizationScheme(block: .q8_0, range: .weighted),
      QuantizationScheme(block: .iq4_nl, range: .weighted, method: .gptq),
      QuantizationScheme(float: .nvfp4), QuantizationScheme(float: .mxfp4, range: .weighted),
    ].map { Scheme(quantization: $0) } + [
      .keep, Scheme(sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 4))),
      Scheme(sparsity: SparsityScheme(pattern: .unstructured(ratio: 0.355))),
      Scheme(
        quantization: QuantizationScheme(bits: 4, isSymmetric: false),
        sparsity: SparsityScheme(pattern: .structured(kept: 1, of: 8))),
    ]

  @Test(arguments: schemes)
  func whatIsPrintedIsReadBack(scheme: Scheme) throws {
    for text in [scheme.summary, scheme.summary.uppercased()] {
      let said = try #require(SchemeText(text), "\(text)")
      #expect(said.change.scheme == scheme, "\(text)")
    }
    // In a plan, too.
    let plan = try Plan(
      yaml: "vise: 1\nrules:\n  - layers: \"*\"\n    scheme: \"\(scheme.summary)\"\n")
    #expect(plan.rules[0].change.scheme == scheme)
  }

  @Test func shortFormsMeanTheSame() throws {
    func change(_ text: String) throws -> SchemeChange { try #require(SchemeText(text)).change }
    #expect(try change("4g32z") == change("4 bit g32 asym"))
    #expect(try change("8gchannel") == change("8 bit channel"))
    #expect(try change("4g64+50%/wanda") == change("4 bits g64, 50 % wanda"))
    #expect(try change("keep+2:4") == change("keep 2:4 50%"))
    #expect(try change("q4_k/gptq") == change("Q4_K gptq"))
    #expect(
      try change("0.3").sparsity == .scheme(SparsityScheme(pattern: .unstructured(ratio: 0.3))))
    #expect(try #require(SchemeText("2:4 50 %")).isSparsityOnly)
  }

  @Test(arguments: [
    "", "4", "four", "9 bit", "4 bit 5 bit", "4g64 g32", "Q4_K 4 bit", "Q4_K Q5_K", "keep 4 bit",
    "2:4 30 %", "100%", "0%", "1.5", "50% 2:4", "sym asym", "4g", "g", "z", "4 bit g0", "%",
    "wanda", "4g64 wanda", "Q4_K magnitude",
  ])
  func anythingElseIsRefused(text: String) {
    let isWhole = ["4", "z"].contains(text)
    #expect(isWhole || SchemeText(text) == nil, "\(text)")
  }

  @Test(arguments: [
    ("90MB", 90_000_000), ("1.5 GiB", 1_610_612_736), ("3000KB", 3_000_000), ("3MiB", 3_145_728),
    ("3000000", 3_000_000), ("12 B", 12), ("12 bytes", 12), ("0.5kb", 500),
    ("2 TB", 2_000_000_000_000),
    ("1_000", 1000), ("90M", 90_000_000), ("2g", 2_000_000_000), ("1e6", 1_000_000),
  ])
  func sizesAreRead(text: String, bytes: Int) {
    #expect(SizeText.bytes(text) == bytes)
  }

  @Test(arguments: ["", "MB", "4.5", "-3MB", "0", "1e30", "3 MX", "nan", "infMB", "0x10", "3,5MB"])
  func noSizesAreRefused(text: String) {
    #expect(SizeText.bytes(text) == nil)
  }
}
