import Compression

/// What a plan makes of an export.
public struct ExportForecast: Hashable, Sendable {
  /// Of each layer in the model's order, as the files hold it; what the target cannot hold is counted as the plan has it.
  public let layers: [LayerSize]
  /// Bytes of all files, headers and copies too.
  public let total: Int
  /// By the layer's index.
  public let refusals: [Int: ExportRefusal]

  /// Whether the files will have exactly these bytes: the target can hold all layers.
  public var isExact: Bool { refusals.isEmpty }
}
