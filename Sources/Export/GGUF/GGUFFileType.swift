import Checkpoints
import Tensors

/// What llama.cpp calls the mixture of a file's types, after the commonest.
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
    rawValue = Self.number(of: type)
  }

  private static func number(of type: ElementType) -> UInt32 {
    switch type {
    case .float32: 0
    case .q4_0: 2
    case .q4_1: 3
    case .q8_0: 7
    case .q5_0: 8
    case .q5_1: 9
    case .q2_K: 10
    // The small mixtures of K types are those of one type only.
    case .q3_K: 11
    case .q4_K: 14
    case .q5_K: 16
    case .q6_K: 18
    case .iq4_nl: 25
    case .bfloat16: 32
    case .float16, .float64, .float8, .int64, .int32, .int16, .int8, .uint8, .bool: 1
    }
  }
}
