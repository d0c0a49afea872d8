import Checkpoints
import Compression

/// llama-quantize's named mixtures of block types, with an imatrix, for models of the `llama` architecture.
///
/// Which tensor gets more bits is fixed by role and block, whatever the weights are. Types whose super-blocks do not
/// divide a row are replaced by such as do, mostly larger ones.
/// Source: llama.cpp, `llama_tensor_get_type_impl` and `tensor_type_fallback` in `src/llama-quant.cpp`.
public enum LlamaMix: String, Codable, Hashable, Sendable, CaseIterable {
  case q2_K = "Q2_K"
  case q3_K_S = "Q3_K_S"
  case q3_K_M = "Q3_K_M"
  case q3_K_L = "Q3_K_L"
  case q4_0 = "Q4_0"
  case q4_1 = "Q4_1"
  case q4_K_S = "Q4_K_S"
  case q4_K_M = "Q4_K_M"
  case q5_0 = "Q5_0"
  case q5_1 = "Q5_1"
  case q5_K_S = "Q5_K_S"
  case q5_K_M = "Q5_K_M"
  case q6_K = "Q6_K"
  case q8_0 = "Q8_0"

  /// The block type of a layer in this mixture.
  ///
  /// - Parameters:
  ///   - layer: A layer of the model.
  ///   - model: Its counts of blocks and heads decide too.
  /// - Returns: nil where no block type divides the layer's rows, which stay 16-bit.
  public func type(of layer: LayerDescription, in model: ModelDescription) -> BlockType? {
    fitting(wanted(for: layer, in: model), columns: layer.columns)
  }

  /// The type of most layers.
  private var base: BlockType {
    switch self {
    case .q2_K: .q2_K
    case .q3_K_S, .q3_K_M, .q3_K_L: .q3_K
    case .q4_0: .q4_0
    case .q4_1: .q4_1
    case .q4_K_S, .q4_K_M: .q4_K
    case .q5_0: .q5_0
    case .q5_1: .q5_1
    case .q5_K_S, .q5_K_M: .q5_K
    case .q6_K: .q6_K
    case .q8_0: .q8_0
    }
  }

  private func wanted(for layer: LayerDescription, in model: ModelDescription) -> BlockType {
    let blocks = model.blockCount
    let block = layer.block ?? 0
    switch layer.role {
    case .head: return headType(columns: layer.columns)
    case .embedTokens, .perLayerEmbedding:
      return model.tiesEmbeddings ? headType(columns: layer.columns) : base
    case .value:
      let type = valueType(block: block, of: blocks, in: model)
      let isLlama70B = blocks == 80 && Self.queriesAKey(block, in: model) != 1
      return isLlama70B && (type == .q3_K || type == .q4_K) ? .q5_K : type
    case .down: return downType(block: block, of: blocks)
    case .attentionOutput:
      switch self {
      case .q2_K: return .q3_K
      case .q3_K_M: return .q4_K
      case .q3_K_L: return .q5_K
      default: return base
      }
    default: return base
    }
  }

  private func headType(columns: Int) -> BlockType {
    columns % base.blockSize != 0 || base == .q8_0 ? .q8_0 : .q6_K
  }

  private func valueType(block: Int, of blocks: Int, in model: ModelDescription) -> BlockType {
    switch self {
    case .q2_K: Self.queriesAKey(block, in: model) >= 4 ? .q4_K : .q3_K
    case .q3_K_M: block < 2 ? .q5_K : .q4_K
    case .q3_K_L: .q5_K
    case .q4_K_S: block < 4 ? .q5_K : base
    case .q4_K_M, .q5_K_M: Self.getsMoreBits(block, of: blocks) ? .q6_K : base
    default: base
    }
  }

  private func downType(block: Int, of blocks: Int) -> BlockType {
    switch self {
    case .q2_K: .q3_K
    case .q3_K_M: block < blocks / 16 ? .q5_K : .q4_K
    case .q3_K_L: .q5_K
    case .q4_K_S: block < blocks / 8 ? .q5_K : base
    case .q4_K_M, .q5_K_M: Self.getsMoreBits(block, of: blocks) ? .q6_K : base
    case .q4_0: block < blocks / 8 ? .q4_1 : base
    case .q5_0: block < blocks / 8 ? .q5_1 : base
    default: base
    }
  }

  /// Query heads that share a key head.
  private static func queriesAKey(_ block: Int, in model: ModelDescription) -> Int {
    guard let blocks = model.blueprint?.blocks, blocks.indices.contains(block),
      let attention = blocks[block].attention
    else { return 1 }
    return attention.headCount / max(attention.keyValueHeadCount, 1)
  }

  /// llama.cpp's `use_more_bits`: the first and the last eighth, and every third block between.
  private static func getsMoreBits(_ block: Int, of blocks: Int) -> Bool {
    block < blocks / 8 || block >= 7 * blocks / 8 || (block - blocks / 8) % 3 == 2
  }

  private func fitting(_ type: BlockType, columns: Int) -> BlockType? {
    if columns % type.blockSize == 0 { return type }
    let smaller: BlockType =
      switch type {
      case .q2_K, .q3_K: .q4_0
      case .q4_K: .q5_0
      case .q5_K: .q5_1
      case .q6_K: .q8_0
      default: type
      }
    return columns % smaller.blockSize == 0 ? smaller : nil
  }
}
