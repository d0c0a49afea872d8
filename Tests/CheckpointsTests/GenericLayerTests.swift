import Tensors
import TestSupport
import Testing

@testable import Checkpoints

/// The layers of architectures that are not known, by the names that published checkpoints have.
struct GenericLayerTests {
  @Test(arguments: [
    "model.layers.0.self_attn.q_proj.weight", "transformer.h.0.mlp.dense_h_to_4h.weight",
    "model.layers.0.conv.in_proj.weight", "blk.0.shortconv.out_proj.weight",
    "backbone.layers.3.mixer.in_proj.weight", "model.layers.1.mlp.shared_experts.gate_proj.weight",
    "model.layers.1.mlp.experts.gate_up_proj", "blk.1.ffn_gate_exps.weight", "lm_head.weight",
    "model.layers.0.linear_attn.in_proj_qkvz.weight", "transformer.output_layer.weight",
    "model.layers.0.per_layer_input_gate.weight", "shared.weight",
  ])
  func matricesAreLayers(name: String) { #expect(GenericLayers.isLayer(name)) }

  /// Source of what is left out: `tensor_allows_quantization` in llama.cpp's `llama-quant.cpp`, and what the models' own code does
  /// with these.
  @Test(arguments: [
    "model.layers.0.input_layernorm.weight", "transformer.h.0.ln_1.weight",
    "model.layers.1.mlp.gate.weight", "backbone.layers.4.mixer.gate.weight",
    "model.layers.1.mlp.gate.wg.weight", "model.layers.0.feed_forward.gate.weight",
    "model.layers.0.feed_forward.router.weight", "blk.1.ffn_gate_inp.weight",
    "model.layers.1.mlp.shared_expert_gate.weight", "model.layers.0.conv.conv.weight",
    "model.layers.0.self_attn.q_conv1d.weight", "blk.0.ssm_conv1d.weight",
    "blk.0.shortconv.conv.weight", "transformer.wpe.weight", "model.embed_positions.weight",
    "model.layers.0.linear_attn.in_proj_ba.weight", "blk.0.ssm_ba.weight",
    "model.layers.0.mamba.dt_proj.weight", "model.layers.0.self_attn.q_proj.bias",
    "model.layers.0.mlp.experts.gate_up_proj_bias", "model.visual.blocks.0.attn.qkv.weight",
    "model.vision_tower.encoder.layers.0.mlp.up_proj.linear.weight",
    "mtp.layers.0.mlp.up_proj.weight",
    "blk.61.nextn.eh_proj.weight", "model.layers.0.laurel.linear_left.weight",
    "model.layers.0.self_attn.indexer.weights_proj.weight",
  ])
  func allElseIsKept(name: String) { #expect(!GenericLayers.isLayer(name)) }

  /// gpt-oss and Llama 4 have inputs for rows, Gemma 4 and Qwen 3.5 outputs, under the same names.
  @Test(arguments: [true, false]) func waysRoundOfExperts(hasInputsForRows: Bool) throws {
    let (hidden, inner) = (64, 32)
    let shapes =
      hasInputsForRows
      ? [[4, hidden, 2 * inner], [4, inner, hidden]]
      : [[4, 2 * inner, hidden], [4, hidden, inner]]
    let stem = "model.layers.0.mlp.experts."
    let folder = try TensorFolder(
      config: #"{"model_type": "new"}"#,
      tensors: [stem + "gate_up_proj": shapes[0], stem + "down_proj": shapes[1]])
    let checkpoint = try Checkpoint.open(folder.path)
    let layers = checkpoint.description.layers
    #expect(layers.map(\.name) == [stem + "down_proj", stem + "gate_up_proj"])
    #expect(layers.map { [$0.count, $0.rows, $0.columns] } == [[4, 256, 32], [4, 256, 64]])
    let weights = try checkpoint.matrix(of: stem + "down_proj").decoded().values
    // The second row: as many elements on as a row has, or the next one of every row.
    #expect(weights[32] == (hasInputsForRows ? 1 : 32))
    #expect(weights[33] == (hasInputsForRows ? Float((hidden + 1) % 251) : 33))
    #expect(!checkpoint.description.abilities.runs)
  }

  @Test func blocksAfterTheDecodersAreKept() throws {
    let names = ["0", "1", "2"].map { "model.layers.\($0).mlp.up_proj.weight" }
    let folder = try TensorFolder(
      config: #"{"model_type": "new", "num_hidden_layers": 2}"#,
      tensors: Dictionary(uniqueKeysWithValues: names.map { ($0, [64, 32]) }))
    let model = try Checkpoint.open(folder.path).description
    #expect(model.layers.map(\.block) == [0, 1])
    #expect(model.parameterCount == 3 * 64 * 32)
    #expect(model.notes == ["1 tensors beside the text model are kept as they are"])
  }
}
