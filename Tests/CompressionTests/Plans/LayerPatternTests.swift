@testable import Compression
import Tensors
import Testing

struct LayerPatternTests {
  static let down = "model.layers.12.mlp.down_proj"

  @Test(arguments: [
    down, "*", "*.down_proj", "model.layers.*", "*.mlp.*", "model.layers.1?.mlp.down_proj",
    "model.layers.[01][0-9].*", "model.layers.[!3]*", "model*12*down*", "**down_proj*",
    "re:.*down_proj", "re:model\\.layers\\.(0|1|12)\\..*", "re:.*\\.(up|down)_proj",
  ])
  func matches(pattern: String) throws {
    #expect(try LayerPattern(pattern).matches(name: Self.down))
  }

  @Test(arguments: [
    "down_proj", "model.layers.12.mlp", "*.up_proj", "model.layers.?.mlp.down_proj",
    "model.layers.[!1]*", "model.layers.[2-9]*", "*down_proj?", "re:down_proj",
    "re:model\\.layers\\.1\\..*", "MODEL*", "re:",
  ])
  func matchesOnlyWholeNames(pattern: String) throws {
    #expect(try !LayerPattern(pattern).matches(name: Self.down))
  }

  @Test(arguments: ["", "re:(", "re:[a", "layers.[12", "layers.[9-0]", "[!]"])
  func refusesMalformedPatterns(pattern: String) {
    #expect(throws: PlanError.self) { try LayerPattern(pattern) }
  }

  @Test func bracketStandsForItselfWhenFirst() throws {
    #expect(try LayerPattern("a[]]b").matches(name: "a]b"))
    #expect(try LayerPattern("a[!]]b").matches(name: "axb"))
    #expect(try !LayerPattern("a[!]]b").matches(name: "a]b"))
  }

  @Test(arguments: ["plain.name", "a*b", "a?b", "a[0]b", "re:x", "re:x*", "[", "*"])
  func exactPatternsMatchTheirNameAndNoOther(name: String) throws {
    let pattern = try LayerPattern(LayerPattern.exact(name))
    #expect(pattern.matches(name: name))
    #expect(!pattern.matches(name: name + "x"))
    #expect(!pattern.matches(name: name.replacing("*", with: "xy").replacing("?", with: "z") + "!"))
  }

  @Test func matchesAliases() throws {
    let embedding = LayerShape(
      name: "model.embed_tokens", aliases: ["lm_head"], rows: 8, columns: 8, type: .bfloat16)
    #expect(try LayerPattern("lm_head").matches(embedding))
    #expect(try LayerPattern("re:lm_.*").matches(embedding))
    #expect(try !LayerPattern("head").matches(embedding))
  }

  @Test func starsDoNotExplode() throws {
    let pattern = String(repeating: "*a", count: 40) + "b"
    let name = String(repeating: "a", count: 2000)
    #expect(try !LayerPattern(pattern).matches(name: name))
  }
}
