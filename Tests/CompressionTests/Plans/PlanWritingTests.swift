@testable import Compression
import TestSupport
import Testing

struct PlanWritingTests {
  @Test func writesWhatPeopleWouldWrite() {
    let plan = Plan(
      model: "SmolLM2-135M-Instruct", fingerprint: "0a1b",
      rules: [
        PlanRule(layers: ["*"], change: SchemeChange(bits: 4, group: .size(64))),
        PlanRule(
          layers: ["model.layers.0.mlp.down_proj", "re:.*\\.v_proj"],
          change: SchemeChange(
            bits: 8, group: .channel, isSymmetric: false, range: .mse, method: .rtn,
            sparsity: .scheme(SparsityScheme(pattern: .structured(kept: 2, of: 4))))),
        PlanRule(
          layers: ["*.up_proj"],
          change: SchemeChange(
            sparsity: .scheme(SparsityScheme(pattern: .unstructured(ratio: 0.5))))),
        PlanRule(layers: ["lm_head"], change: SchemeChange(keeps: true, sparsity: .some(.none))),
      ])
    #expect(
      plan.yaml() == """
        vise: 1
        model: SmolLM2-135M-Instruct
        fingerprint: "0a1b"
        rules:
          - layers: "*"
            bits: 4
            group: 64
          - layers:
              - model.layers.0.mlp.down_proj
              - "re:.*\\\\.v_proj"
            bits: 8
            group: channel
            symmetric: false
            range: mse
            method: rtn
            sparsity: { pattern: "2:4", method: magnitude }
          - layers: "*.up_proj"
            sparsity: { ratio: 0.5, pattern: unstructured, method: magnitude }
          - layers: lm_head
            keep: true
            sparsity: none

        """)
  }

  @Test(arguments: 0..<200)
  func readsBackEqual(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let plan = Plan.random(using: &random)
    #expect(try Plan(yaml: plan.yaml()) == plan, "\(plan.yaml())")
  }

  @Test(arguments: [
    "null", "true", "No", "~", "12", "1e3", "0x1f", " a", "a ", "a: b", "#x", "- a", "'", "\"",
    "\\", "a\nb", "tab\t", "naïve 模型 🦙", "\u{85}\u{2028}\u{FEFF}\u{0}", "&a", "a & b", "g:&", "*x",
    "!t",
    "%", "@",
    "",
  ])
  func keepsAnyModelName(name: String) throws {
    #expect(try Plan(yaml: Plan(model: name).yaml()).model == name)
  }
}

extension Plan {
  /// A plan of a few rules with any settings at all.
  static func random(using random: inout SeededRandom) -> Plan {
    let patterns = ["*", "*.q_proj", "lm_head", "re:.*\\.(0|1)\\..*", "a b", "[ab]?"]
    func maybe<T>(_ value: T) -> T? { Bool.random(using: &random) ? value : nil }
    let rules = (0..<Int.random(in: 0...5, using: &random)).map { _ in
      let ratio = Double.random(in: 0.001..<1, using: &random)
      let sparsities: [SparsityChange] = [
        .none, .scheme(SparsityScheme(pattern: .unstructured(ratio: ratio))),
        .scheme(SparsityScheme(pattern: .structured(kept: 1, of: 4))),
      ]
      let groups: [GroupSize] = [.channel, .size(16), .size(256)]
      return PlanRule(
        layers: patterns.shuffled(using: &random).dropLast(Int.random(in: 0...5, using: &random)),
        change: SchemeChange(
          keeps: maybe(Bool.random(using: &random)), bits: maybe(Int.random(in: 2...8)),
          group: maybe(groups.randomElement(using: &random) ?? .channel),
          isSymmetric: maybe(Bool.random(using: &random)), range: maybe(.mse), method: maybe(.rtn),
          sparsity: maybe(sparsities[Int.random(in: 0...2, using: &random)])))
    }
    return Plan(model: maybe("a model"), fingerprint: maybe("00ff"), rules: rules)
  }
}
