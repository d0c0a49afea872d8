import Checkpoints
import Compression
import Inference
import Testing

/// Plans whose structure changes: layers that stay keep their schemes.
struct RestructuringTests {
  private let model: ModelDescription
  private let cuts: [Int: ModelStructure.Cut]

  init() throws {
    model = try RealModel.checkpoint("Samples/scripture").description
    cuts = Dictionary(
      uniqueKeysWithValues: (0..<6).map { ($0, .init(neurons: Array(0..<256))) })
  }

  private func rule(_ pattern: String, bits: Int) -> PlanRule {
    PlanRule(layers: [pattern], change: SchemeChange(bits: bits, group: .size(64)))
  }

  @Test func rulesOfRolesStayAsTheyAre() throws {
    let plan = Plan(rules: [rule("*.mlp.*", bits: 4), rule("model.embed_tokens", bits: 8)])
    let structure = ModelStructure(removedBlocks: [1, 4])
    let pruned = try plan.restructured(to: structure, of: model)
    #expect(pruned == Plan(rules: plan.rules, structure: structure))
  }

  @Test func rulesOfBlocksFollowTheirBlocks() throws {
    let plan = Plan(
      model: "scripture",
      rules: [rule("model.layers.0.*", bits: 3), rule("model.layers.5.mlp.up_proj", bits: 4)])
    let structure = ModelStructure(removedBlocks: [1, 4])
    let pruned = try plan.restructured(to: structure, of: model)
    #expect(pruned.structure == structure && pruned.model == "scripture")
    let checkpoint = try RealModel.checkpoint("Samples/scripture").pruned(by: structure)
    let schemes = try pruned.schemes(for: checkpoint.description.layerShapes)
    let bits = schemes.compactMapValues { $0.quantization?.bits }
    #expect(bits.count == 8)
    #expect(bits["model.layers.0.mlp.down_proj"] == 3)
    #expect(bits["model.layers.3.mlp.up_proj"] == 4)
    // And back: the block that was the fourth of four is the sixth of six.
    let whole = try pruned.restructured(to: nil, of: model)
    #expect(try whole.schemes(for: model.layerShapes) == plan.schemes(for: model.layerShapes))
  }

  /// Groups of 256 fit rows of 768 and of 512.
  @Test func rulesThatFitBothModelsStay() throws {
    let plan = Plan(rules: [
      PlanRule(layers: ["*.down_proj"], change: SchemeChange(bits: 4, group: .size(256)))
    ])
    let structure = ModelStructure(neurons: 512, cuts: cuts)
    let pruned = try plan.restructured(to: structure, of: model)
    #expect(pruned == Plan(rules: plan.rules, structure: structure))
    // A pattern that nobody can read.
    #expect(throws: PlanError.self) {
      try Plan(rules: [rule("re:(", bits: 4)]).restructured(to: structure, of: model)
    }
  }

  @Test func aStructureThatTakesNothingIsNone() throws {
    let plan = Plan(structure: ModelStructure(neurons: 512, cuts: cuts))
    #expect(try plan.restructured(to: ModelStructure(), of: model) == Plan())
  }
}
