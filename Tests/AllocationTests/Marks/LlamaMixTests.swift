import Allocation
import Checkpoints
import Compression
import Testing
import TestSupport

/// Mixtures against what llama-quantize itself chooses (Oracles/record_llama_mixes.py).
@Suite struct LlamaMixTests {
  struct Record: Decodable {
    let hidden, intermediate, blocks, heads, keyValueHeads, headSize, vocabulary: Int
    let hasHead: Bool
    /// By mixture, then by GGUF name.
    let mixes: [String: [String: String]]

    var model: ModelDescription {
      .llama(
        hidden: hidden, intermediate: intermediate, blocks: blocks, heads: heads,
        keyValueHeads: keyValueHeads, headSize: headSize, vocabulary: vocabulary,
        tiesEmbeddings: !hasHead)
    }
  }

  @Test(arguments: ["even", "odd"])
  func everyTensorGetsTheTypeThatLlamaQuantizeGivesIt(rows: String) throws {
    let records = try Repository.fixture(
      "llama_mixes.json", of: "AllocationTests", as: [String: Record].self)
    let record = try #require(records[rows])
    let model = record.model
    #expect(record.mixes.count == LlamaMix.allCases.count)
    for mix in LlamaMix.allCases {
      let types = try #require(record.mixes[mix.rawValue])
      #expect(types.count == model.layers.count)
      for layer in model.layers {
        let expected = types[Self.ggufName(of: layer)]
        #expect(
          mix.type(of: layer, in: model)?.rawValue == expected, "\(mix.rawValue), \(layer.name)")
      }
    }
  }

  @Test func rowsThatNoBlockDividesStay() throws {
    let model = ModelDescription.llama(
      hidden: 40, intermediate: 96, blocks: 1, heads: 2, keyValueHeads: 1, headSize: 20,
      vocabulary: 8, tiesEmbeddings: true)
    let query = try #require(model.layers.first { $0.role == .query })
    #expect(LlamaMix.allCases.allSatisfy { $0.type(of: query, in: model) == nil })
  }

  private static func ggufName(of layer: LayerDescription) -> String {
    let block = "blk.\(layer.block ?? 0)."
    return switch layer.role {
    case .embedTokens: "token_embd"
    case .head: "output"
    case .query: block + "attn_q"
    case .key: block + "attn_k"
    case .value: block + "attn_v"
    case .attentionOutput: block + "attn_output"
    case .gate: block + "ffn_gate"
    case .up: block + "ffn_up"
    default: block + "ffn_down"
    }
  }
}
