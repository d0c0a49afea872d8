import Tensors
import Checkpoints

/// What llama.cpp calls the mixture of a file's types, after the commonest; F16 for types that name no file.
///
/// The number is informative only: loaders go by each tensor's own type. Source: `llama_ftype` in llama.cpp's `llama.h`.
struct GGUFFileType: Hashable, Sendable {
  /// The commonest type's name.
  let name: String
  let rawValue: UInt32

  /// The type that most weights of the layers have.
  init(ofMost layers: [LayerDescription], types: [String: ElementType]) {
    var weights: [ElementType: Int] = [:]
    for layer in layers { weights[types[layer.name] ?? layer.type, default: 0] += layer.parameters }
    let most = weights.max { ($0.value, $0.key.rawValue) < ($1.value, $1.key.rawValue) }?.key
    let type = most ?? .float16
    name = type.rawValue
    rawValue = type.format.fileType ?? 1
  }
}
