/// What the engine may use of the machine.
public struct EngineSettings: Hashable, Sendable {
  /// The version of Vise, as files that it writes name it.
  public static let version = "0.1.0"

  /// Most bytes of reports and compressed layers kept for going back to earlier choices.
  public var cacheBytes: Int
  /// Threads that compute; nil takes all processors.
  public var threads: Int?

  public init(cacheBytes: Int = 256 << 20, threads: Int? = nil) {
    self.cacheBytes = cacheBytes
    self.threads = threads
  }
}
