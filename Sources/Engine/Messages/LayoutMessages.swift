import Allocation
import Compression
import Export

/// A quantized file of the open model, whose layout is to be read.
public struct LayoutRequest: Codable, Hashable, Sendable {
  public var path: String

  public init(path: String) { self.path = path }
}

/// How a quantized file stores one layer of the open model.
public struct LayoutLayer: Codable, Hashable, Sendable {
  public var name: String
  /// In a few characters: `Q4_K`, `4 bit g64 sym`, `BF16`.
  public var stored: String
  public var bytes: Int
  /// The scheme that stores it so, or the one of the nearest size.
  public var scheme: Scheme
  /// Whether the scheme is that very format.
  public var isExact: Bool
  /// Length of the difference from the original's weights over that of these; nil for weights of zeros only.
  public var relativeError: Double?
  /// KLD that the file's weights of this layer should cost, in nats a token; nil before sensitivity is known, or where
  /// the weights of the file are not to be compared.
  public var divergence: Double?

  public init(
    name: String, stored: String, bytes: Int, scheme: Scheme, isExact: Bool,
    relativeError: Double? = nil, divergence: Double? = nil
  ) {
    self.name = name
    self.stored = stored
    self.bytes = bytes
    self.scheme = scheme
    self.isExact = isExact
    self.relativeError = relativeError
    self.divergence = divergence
  }

  /// Whether its weights are no codes, and yet others than the original's, by more than rounding to 16 bits makes them.
  var isKeptAndChanged: Bool { scheme.keepsLayer && (relativeError ?? 0) > 0.02 }
}

/// What a quantized file says of how the open model may be compressed.
public struct StoredLayout: Codable, Hashable, Sendable {
  public var path: String
  /// Who loads files of that format.
  public var target: ExportTarget
  /// What a plan may take that is as large as this file: bytes of the target's files.
  public var bytes: Int
  /// In the model's order.
  public var layers: [LayoutLayer]
  /// Of the file as it is; nil where some layer's part is not known.
  public var predicted: PredictedDivergence?

  public init(
    path: String, target: ExportTarget, bytes: Int, layers: [LayoutLayer],
    predicted: PredictedDivergence? = nil
  ) {
    self.path = path
    self.target = target
    self.bytes = bytes
    self.layers = layers
    self.predicted = predicted
  }

  /// By name of the layer.
  public var schemes: [String: Scheme] {
    Dictionary(layers.map { ($0.name, $0.scheme) }, uniquingKeysWith: { first, _ in first })
  }
}
