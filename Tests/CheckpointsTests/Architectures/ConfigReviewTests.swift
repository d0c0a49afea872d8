import Testing

@testable import Checkpoints
import JSON

/// Keys of config.json that a blueprint does not say: refused by name where some family computes with them, noted otherwise.
struct ConfigReviewTests {
  private func review(_ json: String, _ architecture: Architecture) throws -> ConfigReview {
    let root = try #require(try JSONReader.read(Array("{\(json)}".utf8)).object)
    return ConfigReview(
      architecture: architecture, config: JSONFile(file: "config.json", root: root))
  }

  @Test(arguments: [
    ("\"logit_scale\": 2.0", "logit_scale is 2.0, which is not supported for llama"),
    ("\"use_qk_norm\": true", "use_qk_norm is true"),
    ("\"attn_logit_softcapping\": 30.0", "attn_logit_softcapping is 30.0"),
    ("\"residual_multiplier\": 0.2", "residual_multiplier is 0.2"),
    ("\"num_local_experts\": 8", "num_local_experts is 8"),
    ("\"is_causal\": false", "is_causal is false, and only causal decoders run"),
    ("\"use_bidirectional_attention\": \"all\"", "use_bidirectional_attention is \"all\""),
    ("\"is_encoder_decoder\": true", "only causal decoders run"),
    ("\"position_embedding_type\": \"alibi\"", "position_embedding_type is \"alibi\""),
    ("\"clip_qkv\": 8", "clip_qkv is 8"),
    ("\"layer_types\": [\"linear_attention\"]", "layer_types has \"linear_attention\""),
    ("\"architectures\": [\"LlamaForSequenceClassification\"]", "does not say what comes next"),
  ])
  func whatOthersComputeWithIsRefusedByName(json: String, part: String) throws {
    do {
      try review(json, .llama).refuseOthers()
      Issue.record("not refused")
    } catch {
      #expect("\(error)".contains(part), "\(error)")
    }
  }

  @Test(arguments: [
    "\"logit_scale\": null", "\"use_qk_norm\": false", "\"attn_logit_softcapping\": 0",
    "\"residual_multiplier\": 1.0", "\"num_local_experts\": 1", "\"is_causal\": true",
    "\"position_embedding_type\": \"rope\"", "\"layer_types\": [\"full_attention\"]",
    "\"attention_dropout\": 0.1, \"pretraining_tp\": 2, \"use_cache\": false",
    "\"architectures\": [\"LlamaForCausalLM\"], \"torch_dtype\": \"bfloat16\"",
    "\"foo_bar\": false, \"bar_foo\": null",
  ])
  func whatChangesNothingIsPassedOver(json: String) throws {
    let review = try review(json, .llama)
    try review.refuseOthers()
    #expect(try review.notes().filter { !$0.contains("layer_types") }.isEmpty)
  }

  @Test func keysAreKnownByFamily() throws {
    try review("\"attn_logit_softcapping\": 30.0", .gemma2).refuseOthers()
    try review("\"residual_multiplier\": 0.2", .granite).refuseOthers()
    try review("\"partial_rotary_factor\": 0.5", .glm4).refuseOthers()
    #expect(throws: CheckpointError.self) {
      try review("\"partial_rotary_factor\": 0.5", .qwen2).refuseOthers()
    }
  }

  @Test func whatIsNotKnownIsNoted() throws {
    let notes = try review("\"frobnicate\": 3, \"twist\": \"left\"", .llama).notes()
    #expect(
      notes == [
        "config.json says frobnicate 3, twist \"left\", which LlamaForCausalLM does not read: computed without"
      ])
    let code = try review("\"auto_map\": {\"AutoModelForCausalLM\": \"m.M\"}", .llama).notes()
    #expect(code.count == 1 && code[0].contains("(auto_map), which is not run"))
  }
}
