/// Somebody who carries out commands: an engine in this process, in another one, or on another machine.
public protocol EngineLink: Sendable {
  /// Tells the engine something; returns at once.
  func send(_ command: EngineCommand)

  /// Ends all jobs and the engine; returns when it has ended, or is known not to answer.
  func shutDown()

  /// Lets go of the engine: one that can do without whoever started it finishes its jobs.
  func leave()
}

extension Engine: EngineLink {
  public func leave() { shutDown() }
}

/// What comes of a link.
public enum EngineNews: Sendable {
  case event(EngineEvent)
  case link(LinkEvent)
}

/// What becomes of an engine outside this process.
public enum LinkEvent: Hashable, Sendable {
  /// An engine answers.
  case connected(EnginePlace)
  /// The engine has the model open, or has results of it that nobody has seen; events that tell the rest come after this.
  case attached(EngineRecord)
  /// The engine is gone, or the connection with it; one sentence that says why. The next `open` starts another.
  case lost(reason: String)
}

/// Where an engine is, and what paths mean there.
public struct EnginePlace: Codable, Hashable, Sendable {
  /// The machine, as ssh was told it; nil for this one.
  public var host: String?
  /// What `~` stands for; nil for nothing.
  public var home: String?
  /// What relative paths begin at.
  public var directory: String
  /// Where sensitivity of models is kept; nil for nowhere.
  public var sensitivityFolder: String?
  /// Fingerprints of the models that there is sensitivity of.
  public var sensitivities: [String]

  public init(
    host: String? = nil, home: String?, directory: String, sensitivityFolder: String? = nil,
    sensitivities: [String] = []
  ) {
    self.host = host
    self.home = home
    self.directory = directory
    self.sensitivityFolder = sensitivityFolder
    self.sensitivities = sensitivities
  }
}
