extension Architecture {
  /// Every so many blocks one sees all positions, where GGUF's metadata leave that to llama.cpp.
  ///
  /// This is for architectures that do not run yet; those that do say it by their ``WindowRule``.
  /// - Parameter name: the architecture's name in GGUF.
  /// - Returns: as `llama-model.cpp` has it, which is 4 for most.
  static func windowInterval(gguf name: String) -> Int {
    switch name {
    case "gpt-oss": 2
    case "gemma3n": 5
    default: 4
    }
  }
}
