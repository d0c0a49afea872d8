@testable import Compression
import Testing

struct PlanReadingTests {
  @Test func readsEverySetting() throws {
    let plan = try Plan(
      yaml: """
        vise: 1
        model: SmolLM2-135M-Instruct
        fingerprint: abc123
        rules:                       # later rules win
          - layers: "*"
            bits: 4
            group: 64
            symmetric: false
            range: mse
            method: rtn
          - layers: ["*.mlp.down_proj", "re:model\\\\.layers\\\\.(0|1)\\\\..*"]
            bits: 6
            group: channel
          - layers: "*.mlp.up_proj"
            sparsity: { ratio: 0.5, pattern: "2:4", method: magnitude }
          - layers: "*.gate_proj"
            sparsity: { ratio: 0.3, pattern: unstructured }
          - layers: "*.o_proj"
            sparsity: none
          - layers: lm_head
            keep: true
        """)
    let pair = SparsityScheme(pattern: .structured(kept: 2, of: 4))
    let third = SparsityScheme(pattern: .unstructured(ratio: 0.3))
    #expect(plan.model == "SmolLM2-135M-Instruct")
    #expect(plan.fingerprint == "abc123")
    #expect(
      plan.rules == [
        PlanRule(
          layers: ["*"],
          change: SchemeChange(
            bits: 4, group: .size(64), isSymmetric: false, range: .mse, method: .rtn)),
        PlanRule(
          layers: ["*.mlp.down_proj", "re:model\\.layers\\.(0|1)\\..*"],
          change: SchemeChange(bits: 6, group: .channel)),
        PlanRule(layers: ["*.mlp.up_proj"], change: SchemeChange(sparsity: .scheme(pair))),
        PlanRule(layers: ["*.gate_proj"], change: SchemeChange(sparsity: .scheme(third))),
        PlanRule(layers: ["*.o_proj"], change: SchemeChange(sparsity: SparsityChange.none)),
        PlanRule(layers: ["lm_head"], change: SchemeChange(keeps: true)),
      ])
  }

  @Test func readsAnEmptyPlan() throws {
    #expect(try Plan(yaml: "vise: 1") == Plan())
    #expect(try Plan(yaml: "vise: 1\nrules:\n") == Plan())
  }

  @Test(arguments: [
    ("", nil, "empty"),
    ("just text", 1, "key: value"),
    ("rules: []", 1, "vise: 1"),
    ("vise: 2", 1, "version 1"),
    ("vise: one", 1, "whole number"),
    ("vise: 1\nmodle: x", 2, "no `modle`"),
    ("vise: 1\nvise: 1", 1, "said twice: vise"),
    ("vise: 1\nrules: 7", 2, "list"),
    ("vise: 1\nmodel: [a]", 2, "text"),
    ("vise: 1\nrules:\n  - 7", 3, "a rule is"),
    ("vise: 1\nrules:\n  - bits: 4", 3, "no `layers`"),
    ("vise: 1\nrules:\n  - layers: []", 3, "no layers"),
    ("vise: 1\nrules:\n  - layers: [[a]]", 3, "text"),
    ("vise: 1\nrules:\n  - layers: *.q_proj", 3, "needs quotes"),
    ("vise: 1\nrules:\n  - layers: \"re:(\"", 3, "regular expression"),
    ("vise: 1\nrules:\n  - layers: \"[a\"", 3, "not a glob"),
    ("vise: 1\nrules:\n  - layers: a\n    bits: 4\n    bits: 5", 4, "said twice: bits"),
    ("vise: 1\nrules:\n  - layers: a\n    bits: 1", 4, "2 to 8"),
    ("vise: 1\nrules:\n  - layers: a\n    bits: 16", 4, "keep: true"),
    ("vise: 1\nrules:\n  - layers: a\n    bits: \"4\"", 4, "whole number"),
    ("vise: 1\nrules:\n  - layers: a\n    bits: 99999999999999999999", 4, "whole number"),
    ("vise: 1\nrules:\n  - layers: a\n    group: 48", 4, "16, 32, 64, 128, 256"),
    ("vise: 1\nrules:\n  - layers: a\n    group: row", 4, "`channel`"),
    ("vise: 1\nrules:\n  - layers: a\n    symmetric: maybe", 4, "true or false"),
    ("vise: 1\nrules:\n  - layers: a\n    range: wide", 4, "minmax, mse"),
    ("vise: 1\nrules:\n  - layers: a\n    method: obs", 4, "it has: rtn, hqq, gptq, awq"),
    ("vise: 1\nrules:\n  - layers: a\n    sparsity: half", 4, "`sparsity` is"),
    ("vise: 1\nrules:\n  - layers: a\n    sparsity: { }", 4, "needs a `ratio`"),
    ("vise: 1\nrules:\n  - layers: a\n    sparsity: { ratio: 1 }", 4, "between 0 and 1"),
    ("vise: 1\nrules:\n  - layers: a\n    sparsity: { ratio: .nan }", 4, "number"),
    ("vise: 1\nrules:\n  - layers: a\n    sparsity: { pattern: \"4:4\" }", 4, "n < m"),
    ("vise: 1\nrules:\n  - layers: a\n    sparsity: { pattern: \"2:\" }", 4, "kept:of"),
    ("vise: 1\nrules:\n  - layers: a\n    sparsity: { pattern: \"2:99\" }", 4, "<= 32"),
    ("vise: 1\nrules:\n  - layers: a\n    sparsity: { ratio: 0.3, pattern: \"2:4\" }", 4, "0.5"),
    (
      "vise: 1\nrules:\n  - layers: a\n    sparsity: { ratio: 0.3, method: obs }", 4,
      "it has: magnitude, wanda, sparsegpt"
    ),
    ("vise: 1\nrules:\n  - layers: &x a", 3, "anchors"),
    ("vise: 1\n---\nvise: 1", 2, "another document"),
    ("vise: 1\nmodel: \"abc", 2, "not YAML"),
    ("vise: 1\nmodel: \u{7}", nil, "not YAML"),
  ])
  func namesTheLineAndTheReason(yaml: String, line: Int?, reason: String) {
    let error = #expect(throws: PlanError.self) { try Plan(yaml: yaml) }
    #expect(error?.line == line, "\(yaml)")
    #expect(error?.reason.contains(reason) == true, "\(error?.description ?? "")")
  }

  @Test func refusesHostileSizes() {
    let deep = "vise: 1\nrules: " + String(repeating: "[", count: 100_000)
    #expect(throws: PlanError.self) { try Plan(yaml: deep) }
    let long = "vise: 1\nmodel: " + String(repeating: "x", count: Plan.sizeLimit)
    #expect(throws: PlanError.self) { try Plan(yaml: long) }
    let pattern = "vise: 1\nrules:\n  - layers: " + String(repeating: "x", count: 2000)
    #expect(throws: PlanError.self) { try Plan(yaml: pattern) }
    let bomb = (1...40).map { "k\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]" }
    #expect(throws: PlanError.self) { try Plan(yaml: bomb.joined(separator: "\n")) }
  }

  @Test func everyPrefixOfAPlanIsReadOrRefused() throws {
    let text = """
      vise: 1
      model: "m & m"
      rules:
        - layers: ["*.q_proj", lm_head]
          bits: 4
          sparsity: { ratio: 0.5, pattern: "2:4" }
      """
    for end in text.indices {
      do throws(PlanError) {
        _ = try Plan(yaml: String(text[..<end]))
      } catch {
        #expect(!error.reason.isEmpty)
      }
    }
    #expect(try Plan(yaml: text).rules.count == 1)
  }
}
