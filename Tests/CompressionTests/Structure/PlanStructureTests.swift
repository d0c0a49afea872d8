import Compression
import Testing

/// The `structure:` section of plans.
struct PlanStructureTests {
  private static let yaml = """
    vise: 1
    structure:
      blocks: [3, 17]
      neurons: 1280
      kv_heads: 2
      experts: 5
      removed:
        - { block: 0, neurons: "3 17 20-22", kv_heads: "1" }
        - { block: 4, kv_heads: "0", experts: "2 6-7" }
    rules: []

    """

  @Test func sectionsAreReadAndWrittenAlike() throws {
    let plan = try Plan(yaml: Self.yaml)
    let expected = ModelStructure(
      removedBlocks: [3, 17], neurons: 1280, keyValueHeads: 2, experts: 5,
      cuts: [
        0: .init(neurons: [3, 17, 20, 21, 22], keyValueHeads: [1]),
        4: .init(keyValueHeads: [0], experts: [2, 6, 7]),
      ])
    #expect(plan.structure == expected)
    #expect(plan.yaml() == Self.yaml)
    for structure in [ModelStructure(), ModelStructure(removedBlocks: [2, 1])] {
      let plan = Plan(structure: structure)
      #expect(try Plan(yaml: plan.yaml()) == plan)
    }
    #expect(try Plan(yaml: "vise: 1").structure == nil)
  }

  @Test(arguments: [
    ("7", 2, "set of"),
    ("{ layers: 3 }", 2, "no `layers`"),
    ("{ blocks: [1, 1] }", 2, "different blocks"),
    ("{ blocks: [-1] }", 2, "different blocks"),
    ("{ blocks: 3 }", 2, "list"),
    ("{ neurons: 100 }", 2, "multiple of 32"),
    ("{ neurons: 0 }", 2, "multiple of 32"),
    ("{ kv_heads: 0 }", 2, "at least 1"),
    ("{ experts: 0 }", 2, "at least 1"),
    ("{ removed: [{ neurons: \"1\" }] }", 2, "names its `block`"),
    ("{ removed: [{ block: 0, neurons: \"3 2\" }] }", 2, "ascending"),
    ("{ removed: [{ block: 0, neurons: \"1-\" }] }", 2, "ascending"),
    ("{ removed: [{ block: 0, neurons: \"0-99999999999\" }] }", 2, "ascending"),
    ("{ removed: [{ block: 0 }, { block: 0 }] }", 2, "named twice"),
  ])
  func whatIsNotUnderstoodIsRefused(section: String, line: Int, reason: String) {
    let error = #expect(throws: PlanError.self) {
      try Plan(yaml: "vise: 1\nstructure: \(section)")
    }
    #expect(error?.line == line)
    #expect(error?.reason.contains(reason) == true, "\(String(describing: error))")
  }
}
