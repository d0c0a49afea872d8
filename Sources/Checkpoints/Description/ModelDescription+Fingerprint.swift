extension ModelDescription {
  /// Whether a fingerprint that some file names is this model's.
  public enum FingerprintMatch: Hashable, Sendable {
    /// It is of this model.
    case same
    /// It was made before fingerprints told contents apart: of this model, or of another of the same tensors.
    case sameShapes
    case other
  }

  /// Compares the fingerprint that a file names.
  public func match(of fingerprint: String) -> FingerprintMatch {
    if fingerprint == self.fingerprint { return .same }
    return fingerprint == headerFingerprint ? .sameShapes : .other
  }

  /// The fingerprint of this model after a change of its tensors that some text describes.
  public func fingerprint(after change: String) -> String {
    SHA256.hexDigest(Array("\(fingerprint)\n\(change)".utf8))
  }
}
