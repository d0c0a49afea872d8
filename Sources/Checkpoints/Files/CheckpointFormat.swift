/// The layout a checkpoint has on disk.
public enum CheckpointFormat: String, Codable, Hashable, Sendable {
  case huggingFace = "huggingface"
  case gguf
}
