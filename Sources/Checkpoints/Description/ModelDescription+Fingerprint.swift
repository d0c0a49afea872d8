extension ModelDescription {
  /// The fingerprint of this model after a change of its tensors that some text describes.
  public func fingerprint(after change: String) -> String {
    SHA256.hexDigest(Array("\(fingerprint)\n\(change)".utf8))
  }
}
