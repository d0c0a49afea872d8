import Testing

@testable import Checkpoints
import JSON

/// Which layers a quantization configuration means.
struct QuantizationConfigTests {
  /// A configuration of groups of so many bits each, by their targets.
  private func config(
    _ groups: [(bits: Int, targets: [String])], ignore: [String] = [], more: String = ""
  ) throws -> QuantizationConfig {
    func list(_ texts: [String]) -> String {
      "[" + texts.map { "\"\($0.replacing("\\", with: "\\\\"))\"" }.joined(separator: ",") + "]"
    }
    let members = groups.enumerated().map { index, group in
      """
      "group_\(index)": {"targets": \(list(group.targets)),
        "weights": {"num_bits": \(group.bits), "strategy": "channel"}}
      """
    }
    let text = """
      {"quantization_config": {"quant_method": "compressed-tensors", "format": "pack-quantized",
        "ignore": \(list(ignore)), \(more)
        "config_groups": {\(members.joined(separator: ","))}}}
      """
    let root = try #require(try JSONReader.read(Array(text.utf8)).object)
    let section = try JSONFile(file: "config.json", root: root).section("quantization_config")
    return try QuantizationConfig(try #require(section))
  }

  private static let layers: [LayerName] = {
    let projections = [
      "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
      "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj",
    ]
    let ofBlocks = (0..<12).flatMap { block in projections.map { "model.layers.\(block).\($0)" } }
    return [LayerName(name: "model.embed_tokens", isEmbedding: true)]
      + (ofBlocks + ["lm_head"]).map { LayerName(name: $0, isEmbedding: false) }
  }()

  private func bits(_ name: String, _ config: QuantizationConfig) throws -> Int? {
    let layer = try #require(Self.layers.first { $0.name == name })
    return config.group(of: layer)?.format?.arguments.bits
  }

  @Test func namesComeBeforePatternsAndThoseBeforeClasses() throws {
    let query = "model.layers.4.self_attn.q_proj"
    let groups = [
      (8, ["Linear"]), (3, ["re:.*self_attn.*"]), (2, ["re:.*q_proj$"]), (4, [query]),
    ]
    let config = try config(groups)
    #expect(try bits(query, config) == 4)
    // ".*q" sorts before ".*s".
    #expect(try bits("model.layers.5.self_attn.q_proj", config) == 2)
    #expect(try bits("model.layers.5.self_attn.k_proj", config) == 3)
    #expect(try bits("model.layers.5.mlp.up_proj", config) == 8)
    #expect(try bits("lm_head", config) == 8)
    #expect(try bits("model.embed_tokens", config) == nil)
  }

  @Test func patternsMatchFromTheStartOnly() throws {
    let config = try config([(4, [#"re:model\.layers\.1"#]), (8, ["re:up_proj"])])
    #expect(try bits("model.layers.1.mlp.up_proj", config) == 4)
    #expect(try bits("model.layers.11.mlp.up_proj", config) == 4)
    #expect(try bits("model.layers.2.mlp.up_proj", config) == nil)
  }

  @Test func ofEqualTargetsTheLaterCounts() throws {
    #expect(try bits("lm_head", config([(4, ["Linear"]), (8, ["Linear"])])) == 8)
  }

  @Test func ignoredLayersAreNotQuantized() throws {
    let config = try config([(4, ["Linear", "Embedding"])], ignore: ["lm_head", "re:.*down_proj"])
    #expect(try bits("lm_head", config) == nil)
    #expect(try bits("model.layers.0.mlp.down_proj", config) == nil)
    #expect(try bits("model.embed_tokens", config) == 4)
    #expect(try bits("lm_head", self.config([(4, ["Linear"])], ignore: ["Linear"])) == nil)
  }

  @Test func overlapsThatVLLMReadsOtherwiseAreNoted() throws {
    let output = "model.layers.4.self_attn.o_proj"
    let overlapping = try config([(4, [#"re:.*self_attn\..*_proj$"#]), (8, [output])])
    let notes = overlapping.notes(on: Self.layers)
    #expect(notes.count == 1)
    #expect(notes.first?.contains("1 layers, such as \(output)") == true)
    // v_proj without its dot also matches qkv_proj, which vLLM makes of q, k and v.
    let fused = try config([(8, ["re:.*v_proj$"]), (4, [#"re:.*\.[qk]_proj$"#])])
    #expect(fused.notes(on: Self.layers).first?.contains("24 layers") == true)
    let disjoint = try config([(8, [#"re:.*\.down_proj$"#]), (4, [#"re:.*\.[qkvo]_proj$"#])])
    #expect(disjoint.notes(on: Self.layers).isEmpty)
  }

  @Test func whatIsNotReadIsRefused() throws {
    func refused(_ part: String, _ more: String, targets: [String] = ["Linear"]) {
      let error = #expect(throws: CheckpointError.self) {
        try config([(4, targets)], more: more + ",")
      }
      #expect(error?.description.contains(part) == true, "\(String(describing: error))")
    }
    refused("sparse-24-bitmask", #""sparsity_config": {"format": "sparse-24-bitmask"}"#)
    refused("are rotated", #""transform_config": {"config_groups": {"u": {}}}"#)
    refused("which is not read", "\"version\": \"0.19.0\"", targets: [#"re:(?<=x)y"#])
    #expect(throws: CheckpointError.self) { try config([]) }
  }
}
