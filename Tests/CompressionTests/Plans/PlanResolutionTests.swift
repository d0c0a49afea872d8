@testable import Compression
import Tensors
import TestSupport
import Testing

struct PlanResolutionTests {
  /// Two blocks of three layers and a tied embedding.
  static let layers: [LayerShape] =
    (0..<2).flatMap { block in
      ["self_attn.q_proj", "mlp.up_proj", "mlp.down_proj"].map { role in
        LayerShape(
          name: "model.layers.\(block).\(role)", rows: 64,
          columns: role == "mlp.down_proj" ? 96 : 64, type: .bfloat16)
      }
    } + [
      LayerShape(
        name: "model.embed_tokens", aliases: ["lm_head"], rows: 100, columns: 64, type: .bfloat16)
    ]

  static func plan(_ rules: (String, SchemeChange)...) -> Plan {
    Plan(rules: rules.map { PlanRule(layers: [$0.0], change: $0.1) })
  }

  static let half = SparsityScheme(pattern: .unstructured(ratio: 0.5))

  @Test func laterRulesWinSettingBySetting() throws {
    let plan = Self.plan(
      ("*", SchemeChange(bits: 4, group: .size(32), isSymmetric: false)),
      ("*.down_proj", SchemeChange(bits: 6)),
      ("re:.*\\.1\\..*", SchemeChange(range: .mse, sparsity: .scheme(Self.half))),
      ("model.layers.1.mlp.up_proj", SchemeChange(sparsity: SparsityChange.none)))
    let schemes = try plan.schemes(for: Self.layers)
    #expect(schemes.count == Self.layers.count)
    let four = QuantizationScheme(bits: 4, group: .size(32), isSymmetric: false)
    var six = QuantizationScheme(bits: 6, group: .size(32), isSymmetric: false)
    #expect(schemes["model.embed_tokens"] == Scheme(quantization: four))
    #expect(schemes["model.layers.0.mlp.down_proj"] == Scheme(quantization: six))
    six.range = .mse
    #expect(
      schemes["model.layers.1.mlp.down_proj"] == Scheme(quantization: six, sparsity: Self.half))
    #expect(schemes["model.layers.1.mlp.up_proj"]?.sparsity == nil)
    #expect(schemes["model.layers.1.mlp.up_proj"]?.quantization?.range == .mse)
  }

  @Test func layersWithoutARuleAreKept() throws {
    let schemes = try Self.plan(("*.q_proj", SchemeChange(bits: 4))).schemes(for: Self.layers)
    #expect(schemes["model.layers.0.mlp.up_proj"] == .keep)
    #expect(
      schemes["model.layers.0.self_attn.q_proj"]
        == Scheme(quantization: QuantizationScheme(bits: 4)))
  }

  @Test func settingsWithoutAWidthQuantizeNothing() throws {
    let plan = Self.plan(("*", SchemeChange(group: .size(16))), ("lm_head", SchemeChange(bits: 8)))
    let schemes = try plan.schemes(for: Self.layers)
    #expect(schemes["model.layers.0.mlp.up_proj"] == .keep)
    #expect(schemes["model.embed_tokens"]?.quantization?.group == .size(16))
  }

  @Test func keepUndoesEarlierRulesOnly() throws {
    let plan = Self.plan(
      ("*", SchemeChange(bits: 4, group: .size(16), sparsity: .scheme(Self.half))),
      ("*.mlp.*", SchemeChange(keeps: true)),
      ("*.up_proj", SchemeChange(bits: 3)),
      ("lm_head", SchemeChange(keeps: true, bits: 8)))
    let schemes = try plan.schemes(for: Self.layers)
    #expect(schemes["model.layers.0.mlp.down_proj"] == .keep)
    #expect(
      schemes["model.layers.0.mlp.up_proj"] == Scheme(quantization: QuantizationScheme(bits: 3)))
    #expect(schemes["model.embed_tokens"] == Scheme(quantization: QuantizationScheme(bits: 8)))
  }

  @Test func sparsityNeedsNoQuantization() throws {
    let plan = Self.plan(("*", SchemeChange(sparsity: .scheme(Self.half))))
    #expect(try plan.schemes(for: Self.layers)["model.embed_tokens"] == Scheme(sparsity: Self.half))
  }

  @Test func aGroupThatDoesNotFitNamesLayerRuleAndWhatFits() {
    let plan = Self.plan(("*", SchemeChange(bits: 4)))
    let error = #expect(throws: PlanError.self) { try plan.schemes(for: Self.layers) }
    #expect(error?.layer == "model.layers.0.mlp.down_proj")
    #expect(error?.rule == "*")
    #expect(error?.reason.contains("16, 32, channel") == true)
  }

  @Test func malformedPatternsAreNamed() {
    let plan = Self.plan(("*", SchemeChange(bits: 4)), ("re:(", SchemeChange(bits: 2)))
    let error = #expect(throws: PlanError.self) { try plan.schemes(for: Self.layers) }
    #expect(error?.rule == "re:(")
  }

  @Test func findsRulesThatMatchNothing() {
    let plan = Self.plan(
      ("*.down_prj", SchemeChange(bits: 4)), ("lm_head", SchemeChange(bits: 4)),
      ("re:(", SchemeChange(bits: 4)))
    #expect(plan.unmatchedRules(in: Self.layers).map(\.layers) == [["*.down_prj"], ["re:("]])
  }

  @Test func applyingAppendsARuleOrExtendsTheLast() {
    let names = ["a", "b"]
    let plan = Plan()
      .applying(SchemeChange(bits: 4), to: names)
      .applying(SchemeChange(group: .size(32)), to: ["b", "a"])
    #expect(plan.rules.map(\.change) == [SchemeChange(bits: 4, group: .size(32))])
    let more = plan.applying(SchemeChange(bits: 5), to: ["a"])
    #expect(more.rules.count == 2)
    let kept = more.applying(SchemeChange(keeps: true), to: ["a"])
    #expect(kept.rules[1].change == SchemeChange(keeps: true))
    let again = kept.applying(SchemeChange(bits: 3), to: ["a"])
    #expect(again.rules[1].change == SchemeChange(keeps: true, bits: 3))
    #expect(again.applying(SchemeChange(bits: 2), to: []) == again)
  }

  @Test(arguments: 0..<100)
  func extendingTheLastRuleMeansTheSameAsAnotherRule(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let changes = (0..<4).flatMap { _ in Plan.random(using: &random).rules.map(\.change) }
    let name = Self.layers[0].name
    let merged = changes.reduce(Plan()) { $0.applying($1, to: [name]) }
    let apart = Plan(rules: changes.map { PlanRule(layers: [name], change: $0) })
    func scheme(in plan: Plan) -> String {
      do throws(PlanError) {
        return try plan.schemes(for: Self.layers)[name]?.summary ?? "none"
      } catch {
        return error.description
      }
    }
    #expect(scheme(in: merged) == scheme(in: apart))
    #expect(merged.rules.count <= 1)
  }

  @Test(arguments: 0..<100)
  func simplifyingChangesNoScheme(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var plan = Plan()
    for _ in 0..<20 {
      let names = Self.layers.map(\.name).filter { _ in Bool.random(using: &random) }
      let change = SchemeChange(
        keeps: Int.random(in: 0..<4, using: &random) == 0 ? true : nil,
        bits: Int.random(in: 2...8, using: &random), group: .size(16))
      plan = plan.applying(change, to: names)
    }
    let simple = plan.simplified(for: Self.layers)
    #expect(try simple.schemes(for: Self.layers) == plan.schemes(for: Self.layers))
    #expect(simple.rules.count <= Self.layers.count)
    #expect(simple.simplified(for: Self.layers) == simple)
  }

  @Test func simplifyingDropsOverriddenAndIdleRules() {
    let last = PlanRule(layers: ["*"], change: SchemeChange(bits: 4, group: .channel))
    let plan = Plan(rules: [
      PlanRule(layers: ["*"], change: SchemeChange(bits: 2)),
      PlanRule(layers: ["nothing"], change: SchemeChange(bits: 2)), last,
      PlanRule(layers: ["lm_head"], change: SchemeChange(bits: 4)),
    ])
    #expect(plan.simplified(for: Self.layers).rules == [last])
  }
}
