import Compression
import Tensors

/// AWQ's channel scales as they reach one layer, and all that is right only together with it.
public struct ChannelFold: Sendable {
  /// What the layer's weights are multiplied by before they are compressed.
  public var scales = ChannelScales.none
  /// What the norm before the layer becomes, where that takes the scales of the columns back.
  public var norm: FoldedNorm?
  /// Layers, by their place in the model, that share factors with it.
  public var partners: Set<Int> = []

  public static let none = ChannelFold()
}

/// A norm that takes channel scales back.
public struct FoldedNorm: Sendable {
  /// Its Hugging Face name, without `.weight`.
  public let name: String
  public let weights: [Float]

  /// A norm divided by scales, as a tensor of some type can store it.
  ///
  /// Weights that would be rounded to nothing stay as they are.
  init(name: String, dividing norm: [Float], by scales: [Float], storedAs type: ElementType) {
    self.name = name
    var divided = zip(norm, scales).map(/)
    if type == .float16 || type == .bfloat16 { divided = type.widened(type.rounded(divided)) }
    weights = zip(divided, norm).map { $0 / $1 > 0 ? $0 : $1 }
  }

  /// The scales that these very weights take back from `norm`, so that the rounding of a norm costs nothing.
  func scales(from norm: [Float]) -> [Float] {
    zip(norm, weights).map { $1 == 0 ? 1 : $0 / $1 }
  }
}
