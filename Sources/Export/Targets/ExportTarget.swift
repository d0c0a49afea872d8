/// Who is to load what is exported.
public enum ExportTarget: String, Codable, Hashable, Sendable, CaseIterable {
  /// transformers with the compressed-tensors package.
  case transformers
  /// vLLM on CUDA.
  case vllm
  /// vLLM on a CPU.
  case vllmCPU = "vllm-cpu"
  /// llama.cpp, and everything that loads GGUF as it does.
  case llamaCpp = "llama.cpp"

  /// The format that it loads.
  public var format: ExportFormat {
    switch self {
    case .transformers, .vllm, .vllmCPU: .compressedTensors
    case .llamaCpp: .gguf
    }
  }
}

/// What is written.
public enum ExportFormat: String, Codable, Hashable, Sendable, CaseIterable {
  /// A Hugging Face directory.
  case compressedTensors = "compressed-tensors"
  /// One file.
  case gguf
  /// What makes the same model elsewhere: an llm-compressor recipe, tensor types and an imatrix for llama-quantize.
  case recipe
  /// What the plan is and what was measured of it, to read.
  case report

  /// The target that is meant where only the format is named; nil for what no server loads.
  public var standardTarget: ExportTarget? {
    switch self {
    case .compressedTensors: .vllm
    case .gguf: .llamaCpp
    case .recipe, .report: nil
    }
  }

  /// Whether it holds the model's tensors; others are text about them.
  public var holdsTensors: Bool { standardTarget != nil }
}
