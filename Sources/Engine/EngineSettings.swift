/// What the engine may use of the machine.
public struct EngineSettings: Hashable, Sendable {
  /// The version of Vise, as files that it writes name it.
  public static let version = "0.1.0"

  /// Most bytes of reports and compressed layers kept for going back to earlier choices.
  public var cacheBytes: Int
  /// Threads that compute; nil takes all processors.
  public var threads: Int?
  /// Whether a plan waits for an export before anything is compressed, and exports keep no layer that they need not: then
  /// models larger than memory can be exported, but no compressed model runs.
  public var streamsExports: Bool
  /// Most bytes that a compressed model may take; nil takes nearly all that the machine has left.
  public var memoryBytes: Int?
  /// Where a text to calibrate on is looked for if there is none beside the model, and nobody named one.
  public var textFolder = CalibrationText.folder
  /// Whether threads that compute give way to the others of this process, such as the one that draws the screen.
  public var givesWay: Bool

  public init(
    cacheBytes: Int = 256 << 20, threads: Int? = nil, streamsExports: Bool = false,
    memoryBytes: Int? = nil, givesWay: Bool = false
  ) {
    self.cacheBytes = cacheBytes
    self.threads = threads
    self.streamsExports = streamsExports
    self.memoryBytes = memoryBytes
    self.givesWay = givesWay
  }
}
