import Compression

/// What one layer costs under one scheme: bytes exactly, KLD predicted from a sample of rows.
public struct SchemeTrial: Codable, Hashable, Sendable {
  public var scheme: Scheme
  public var bytes: Int
  /// In nats a token, if all other layers stay as they are.
  public var divergence: Double
  /// Of `divergence`: what another sample of rows might have said.
  public var standardError: Double

  public init(scheme: Scheme, bytes: Int, divergence: Double, standardError: Double) {
    self.scheme = scheme
    self.bytes = bytes
    self.divergence = divergence
    self.standardError = standardError
  }
}
