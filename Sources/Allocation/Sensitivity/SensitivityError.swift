import Checkpoints

/// Why sensitivity cannot be read or used.
public enum SensitivityError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file cannot be read, is damaged, or is none of sensitivity.
  case file(CheckpointError)
  /// It was measured on another model than the one that is open.
  case otherModel(measured: String, open: String)
  /// Layers that are pinned to different schemes have to agree.
  case pinsDisagree(layers: [String])

  public var description: String {
    switch self {
    case .file(let error): error.description
    case .otherModel(let measured, let open):
      "the sensitivity was measured on \(measured), whose checkpoint is not that of \(open); "
        + "measure it again"
    case .pinsDisagree(let layers):
      "\(layers.joined(separator: ", ")) get one scheme together, but are pinned to different ones"
    }
  }
}
