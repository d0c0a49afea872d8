import Compression

/// A layer whose scheme the target cannot hold.
public struct ExportRefusal: Codable, Hashable, Sendable {
  /// The layer's Hugging Face name.
  public var layer: String
  /// Why not, in a clause: `llama.cpp has no 7-bit block type`.
  public var reason: String
  /// The nearest scheme that the target can hold; nil if there is none.
  public var nearest: Scheme?

  public init(layer: String, reason: String, nearest: Scheme?) {
    self.layer = layer
    self.reason = reason
    self.nearest = nearest
  }
}

/// Why an export cannot be made, or went wrong.
public enum ExportError: Error, Hashable, Sendable {
  /// The target cannot hold these layers' schemes; nothing was written.
  case refused(ExportTarget, [ExportRefusal])
  /// Something of the model itself does not go into the format; nothing was written.
  case unsupported(reason: String, hint: String?)
  /// A file could not be read or written: its path, the tensor if one is concerned, and why.
  case file(path: String, tensor: String?, reason: String)
}

extension ExportError: CustomStringConvertible {
  /// One sentence that says what is wrong and, where that is known, what to do.
  public var description: String {
    switch self {
    case .refused(let target, let refusals):
      guard let first = refusals.first else { return "\(target.rawValue) cannot hold the plan" }
      let others = refusals.count > 1 ? ", and \(refusals.count - 1) layers more" : ""
      let nearest = first.nearest.map { "; the nearest that it can: \($0.summary)" } ?? ""
      return "\(target.rawValue) cannot hold \(first.layer): \(first.reason)\(nearest)\(others)"
    case .unsupported(let reason, let hint): return hint.map { "\(reason); \($0)" } ?? reason
    case .file(let path, let tensor, let reason):
      return tensor.map { "\(path): tensor \($0): \(reason)" } ?? "\(path): \(reason)"
    }
  }
}
