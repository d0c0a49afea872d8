import Checkpoints
import Export

/// Who runs the model, as far as memory depends on that.
public enum ServingEngine: String, Codable, Hashable, Sendable, CaseIterable {
  case vise, transformers, vllm
  case llamaCpp = "llama.cpp"

  public init(_ target: ExportTarget?) {
    self =
      switch target {
      case nil: .vise
      case .transformers: .transformers
      case .vllm, .vllmCPU: .vllm
      case .llamaCpp: .llamaCpp
      }
  }

  /// Tokens of a prompt that are computed at once, by the engine's own standard.
  ///
  /// Sources: `n_ubatch` of llama.cpp, `max_num_batched_tokens` of vLLM; transformers reads a prompt whole.
  func stepTokens(context: Int) -> Int {
    switch self {
    case .vise: min(context, 512)
    case .transformers: context
    case .vllm: min(context, 2048)
    case .llamaCpp: min(context, 512)
    }
  }

  /// Positions that a block's keys and values get room for, of one sequence.
  ///
  /// Sources: `llama_context` and `llama_kv_cache_iswa` pad to 256 cells, and add a step's tokens to a window; vLLM's
  /// `SlidingWindowSpec` holds a window, a step and one page of 16 tokens more; transformers' sliding layers keep all of the
  /// window but the query's own position.
  func positions(window: Int?, context: Int) -> Int {
    let step = stepTokens(context: context)
    switch self {
    case .vise: return context
    case .transformers: return window.map { min(context, max(1, $0 - 1)) } ?? context
    case .vllm:
      let whole = Self.padded(context, to: 16)
      guard let window else { return whole }
      return Self.padded(min(window - 1 + step, context), to: 16) + 16
    case .llamaCpp:
      let whole = Self.padded(context, to: 256)
      guard let window else { return whole }
      return Self.padded(min(whole, window + 512), to: 256)
    }
  }

  /// What pads positions, in a clause; nil for nothing.
  var rounding: String? {
    switch self {
    case .vise, .transformers: nil
    case .vllm: "pages of 16"
    case .llamaCpp: "padded to 256"
    }
  }

  private static func padded(_ count: Int, to size: Int) -> Int { (count + size - 1) / size * size }
}
