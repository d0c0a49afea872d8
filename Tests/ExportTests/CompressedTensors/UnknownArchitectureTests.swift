@testable import Checkpoints
import Compression
import Export
import Tensors
import TestSupport
import Testing
import JSON

/// Exports of architectures that are not known: readers must find every name that they ask for.
struct UnknownArchitectureTests {
  private static let fourBits = Scheme(
    quantization: QuantizationScheme(bits: 4, group: .size(32)))

  private func config(
    _ tensors: [String: [Int]], quantizing suffix: String
  ) throws -> WrittenConfig {
    let folder = try TensorFolder(config: #"{"model_type": "new"}"#, tensors: tensors)
    let model = try CompressedModel(Checkpoint.open(folder.path)) { shape in
      shape.name.hasSuffix(suffix) ? Self.fourBits : .keep
    }
    return try WrittenConfig(
      model.files(CompressedTensorsEncoding(model: model.export, target: .transformers)))
  }

  /// vLLM refuses a model with a linear module that is neither in a group nor ignored.
  @Test func everyMatrixIsNamed() throws {
    let config = try config(
      [
        "model.layers.0.self_attn.q_proj.weight": [32, 32],
        "model.layers.0.mlp.gate.weight": [8, 32], "model.layers.0.input_layernorm.weight": [32],
        "model.layers.0.mlp.up_proj.weight": [64, 32],
        "model.visual.blocks.0.attn.qkv.weight": [96, 32], "model.embed_tokens.weight": [64, 32],
      ], quantizing: "up_proj")
    #expect(config.groups.map(\.targets) == [["model.layers.0.mlp.up_proj"]])
    #expect(
      Set(config.ignored) == [
        "model.layers.0.self_attn.q_proj", "model.layers.0.mlp.gate",
        "model.visual.blocks.0.attn.qkv",
      ])
  }

  /// transformers 5 has other names for what these files hold, and vLLM asks for experts by Llama's words.
  @Test(arguments: [
    ("language_model.model.layers.0.mlp.up_proj", "model.language_model.layers.0.mlp.up_proj"),
    ("backbone.layers.0.mixer.in_proj", "model.layers.0.mixer.in_proj"),
    (
      "model.layers.0.block_sparse_moe.experts.0.w3",
      "model.layers.0.block_sparse_moe.experts.0.up_proj"
    ),
  ])
  func modulesHaveReadersNames(name: String, readers: String) throws {
    let config = try config([name + ".weight": [64, 32]], quantizing: "")
    #expect(config.groups.map(\.targets) == [[name, readers]])
  }

  private func refusals(
    _ config: String, _ tensors: [String: [Int]], _ scheme: Scheme
  ) throws -> [String] {
    let folder = try TensorFolder(config: config, tensors: tensors)
    let outline = try ExportOutline(of: Checkpoint.open(folder.path), for: .transformers)
    let refusals = outline.refusals(of: outline.shapes.map { _ in scheme })
    let nearest = outline.nearest(to: outline.shapes.map { _ in scheme })
    #expect(nearest == outline.shapes.map { _ in .keep })
    return refusals.map(\.reason)
  }

  @Test func whatHasNoOtherFormIsRefused() throws {
    let stack = ["model.layers.0.mlp.experts.gate_up_proj": [4, 64, 32]]
    let (config, gpt2) = (#"{"model_type": "new"}"#, #"{"model_type": "gpt2"}"#)
    let pruned = Scheme(sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 4)))
    for scheme in [Self.fourBits, pruned] {
      let ofStack = try refusals(config, stack, scheme)
      #expect(ofStack == ["its experts are one tensor, for which compressed-tensors has no form"])
      let ofGPT2 = try refusals(gpt2, ["transformer.h.0.mlp.c_fc.weight": [32, 64]], scheme)
      #expect(
        ofGPT2
          == ["it is stored with inputs for rows, and compressed-tensors has no form for that"])
    }
    let ofKept = try refusals(config, stack, .keep)
    #expect(ofKept.isEmpty)
  }

  /// llama.cpp hard-codes how weights of experts add up, and knows no window of Mistral's.
  @Test func ggufNotesSayWhatLlamaComputesOtherwise() throws {
    let tiny = try Checkpoint.open(Repository.path("Tests/CheckpointsTests/Fixtures/tiny"))
    #expect(GGUFLimits.notes(on: tiny.description).isEmpty)
    let settings = try JSONFile(
      path: Repository.path("Tests/CheckpointsTests/Fixtures/tiny/config.json")
    ).root
    var changed = settings
    changed["model_type"] = "mistral"
    changed["sliding_window"] = 16
    let folder = try TensorFolder(
      config: String(decoding: JSONWriter.bytes(of: .object(changed), indent: 2), as: UTF8.self),
      tensors: Dictionary(
        uniqueKeysWithValues: tiny.table.entries.map { ($0.name, $0.shape) }))
    let notes = GGUFLimits.notes(on: try Checkpoint.open(folder.path).description)
    #expect(notes.count == 1)
    #expect(notes[0].contains("2 of 2 see the last 16 positions"), "\(notes)")
  }
}
