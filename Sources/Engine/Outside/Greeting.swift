/// The version of the messages between workbench and engine.
///
/// It rises whenever a message means something else, or is written otherwise, than before.
public enum EngineProtocol {
  public static let version = 1

  /// Most bytes of a message to an engine: the largest is a plan with rules for every layer.
  static let commandLimit = 64 << 20
  /// Most bytes of a message from an engine: the largest is the sensitivity of a model of many experts.
  static let eventLimit = 256 << 20
}

/// The first message to an engine; later versions may add to it, and take nothing away.
struct Hello: Codable, Hashable, Sendable {
  enum Purpose: String, Codable, Hashable, Sendable {
    /// Commands follow.
    case work
    /// Asks what the engine does.
    case status
    /// Ends the engine.
    case stop
  }

  var version = EngineSettings.version
  var protocolVersion = EngineProtocol.version
  var purpose: Purpose
  /// A name that the workbench made up for itself, by which an engine knows it again when it has lost its connection.
  var client: String?
  /// The model that it will open, for whoever has to find an engine for it.
  var model: String?
  /// Whether an engine that has the model open will do, or it is to be a new one.
  var attaches: Bool?
  /// Most bytes of memory that a compressed model may take in a new engine.
  var memoryBytes: Int?
}

/// An engine's answer to a hello; the same is true of it.
struct Welcome: Codable, Hashable, Sendable {
  var version = EngineSettings.version
  var protocolVersion = EngineProtocol.version
  /// Why the engine does not do what was asked for, as a clause; nil if it does.
  var refusal: String?
  var status: EngineStatus?
  var place: EnginePlace?

  /// Why this process and an engine do not understand each other; nil if they do.
  func mismatch(with host: String?) -> String? {
    guard version != EngineSettings.version || protocolVersion != EngineProtocol.version else {
      return nil
    }
    let other = host.map { "Vise on \($0)" } ?? "the engine"
    return
      "\(other) is of version \(version) with messages of version \(protocolVersion), and this is Vise "
      + "\(EngineSettings.version) with messages of version \(EngineProtocol.version); "
      + "install the same version on both sides"
  }
}

/// What an engine does.
public struct EngineStatus: Codable, Hashable, Sendable {
  public struct Work: Codable, Hashable, Sendable {
    public var kind: JobKind
    public var title: String
    public var progress: JobProgress?
  }

  public var process: Int
  public var version = EngineSettings.version
  /// The open model's path from the root; nil before there is one.
  public var model: String?
  /// Whether a workbench is connected with it.
  public var isWatched: Bool
  /// Jobs that are under way.
  public var jobs: [Work]
  /// Jobs that have ended since nobody watches.
  public var unseen: Int
  public var secondsUp: Double
}
