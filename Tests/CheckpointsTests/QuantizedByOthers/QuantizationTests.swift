import Testing

@testable import Checkpoints
import JSON

/// What configurations say of how a checkpoint is quantized, and what is refused.
struct QuantizationTests {
  private func json(_ text: String) throws -> JSONFile {
    JSONFile(
      file: "config.json", root: try #require(try JSONReader.read(Array(text.utf8)).object))
  }

  private func maker(_ text: String, beside: String? = nil) throws -> String? {
    try Quantization(config: json(text), beside: beside.map { try json($0) })?.quantizedBy
  }

  @Test func methodsAreTold() throws {
    #expect(try maker("{}") == nil)
    #expect(try maker(#"{"quantization_config": null}"#) == nil)
    #expect(try maker(#"{"quantization_config": {"quant_method": "gptq", "bits": 4}}"#) == "GPTQ")
    #expect(
      try maker(
        #"{"quantization_config": {"quant_method": "gptq", "meta": {"quantizer": "auto"}}}"#)
        == "GPTQ (auto)")
    #expect(try maker(#"{"quantization_config": {"quant_method": "fbgemm_fp8"}}"#) == "FP8")
    #expect(try maker(#"{"quantization_config": {"load_in_4bit": true}}"#) == "bitsandbytes")
    #expect(try maker(#"{"quantization": {"group_size": 64, "bits": 4}}"#) == "MLX")
    #expect(try maker(#"{"quantization_config": {"group_size": 64, "bits": 4}}"#) == "MLX")
    #expect(
      try maker(#"{"text_config": {"quantization_config": {"quant_method": "awq"}}}"#) == "AWQ")
    #expect(try maker("{}", beside: #"{"bits": 4, "group_size": 128}"#) == "GPTQ")
  }

  @Test func whatIsNotReadIsNamed() throws {
    func refused(_ part: String, _ text: String) {
      let error = #expect(throws: CheckpointError.self) { try maker(text) }
      #expect(error?.description.contains(part) == true, "\(String(describing: error))")
    }
    func section(_ text: String) -> String { "{\"quantization_config\": {\(text)}}" }
    refused("is quantized by quark, which is not read", section(#""quant_method": "quark""#))
    refused("without a quant_method", section(#""format": "other""#))
    refused(
      "the format \"marlin\"", section(#""quant_method": "gptq", "checkpoint_format": "marlin""#))
    refused("\"gemv_fast\"", section(#""quant_method": "awq", "version": "GEMV_FAST""#))
    refused("AWQ with 9 bits", section(#""quant_method": "awq", "bits": 9"#))
    refused(
      "AWQ with 8 bits", section(#""quant_method": "awq", "bits": 8, "version": "gemv""#))
    refused("group_size is 0", section(#""quant_method": "gptq", "group_size": 0"#))
    refused(
      "weight_block_size is not two", section(#""quant_method": "fp8", "weight_block_size": [128]"#)
    )
    refused("the mode \"other\"", #"{"quantization": {"mode": "other"}}"#)
    refused("bits is 9", #"{"quantization": {"a": {"bits": 9}}}"#)
  }
}
