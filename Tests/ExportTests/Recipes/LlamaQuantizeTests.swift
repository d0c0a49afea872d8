import Checkpoints
import Compression
import Export
import Testing
import TestSupport

/// Lines that llama-quantize reads: each means one tensor and names a type of ggml's.
struct LlamaQuantizeTests {
  @Test func everyLayerHasALineOfItsOwn() throws {
    let model = try Checkpoint.open(Repository.path("Samples/scripture")).description
    var schemes = model.layers.map { _ in Scheme.keep }
    schemes[1] = Scheme(quantization: QuantizationScheme(block: .q4_K))
    schemes[2] = Scheme(quantization: QuantizationScheme(bits: 4))
    schemes[3] = Scheme(sparsity: SparsityScheme(pattern: .structured(kept: 2, of: 4)))
    let text = LlamaQuantize.tensorTypes(of: model, schemes: schemes)
    let lines = text.split(separator: "\n")
    #expect(
      lines.prefix(4) == [
        "^token_embd\\.weight$=bf16", "^blk\\.0\\.attn_q\\.weight$=q4_k",
        "^blk\\.0\\.attn_k\\.weight$=q4_0", "^blk\\.0\\.attn_v\\.weight$=bf16",
      ])
    #expect(text.hasSuffix("\n") && !text.contains(" "))
    for (line, layer) in zip(lines, model.layers) {
      let pattern = try Regex(String(line.prefix { $0 != "=" }))
      #expect(model.layers.filter { $0.ggufName.contains(pattern) } == [layer])
    }
    #expect(lines.count == model.layers.count)
  }
}
