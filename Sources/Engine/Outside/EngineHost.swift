import Checkpoints
import Dispatch
import FoundationEssentials
import Glibc
import Links
import Synchronization
import Work

/// An engine that outlives the workbench which started it: it serves one workbench at a time, over sockets, and goes on with
/// its jobs while there is none.
public final class EngineHost: Sendable {
  /// How a host behaves.
  public struct Options: Sendable {
    public var settings = EngineSettings()
    /// Where workbenches find it; nil lets only the one that started it have it.
    public var directory: PrivateDirectory?
    /// Where results are kept that nobody has seen; nil keeps none.
    public var stateDirectory: String?
    /// What `~` stands for.
    public var home: String?
    /// How long it waits for a workbench when it has nothing to do; nil waits for ever.
    public var patience: Duration? = .seconds(60)

    public init() {}
  }

  private struct State: Sendable {
    var journal = EngineJournal()
    var client: HostedClient?
    /// Whether the workbench that started it is still to say its first word.
    var awaitsFirst = false
    /// Since when nobody is connected and nothing is done; nil while that is not so.
    var idleSince: ContinuousClock.Instant?
    var isEnding = false
    /// A file with results of an earlier engine that the client has been told of, and since when.
    var told: (path: String, since: ContinuousClock.Instant)?
  }

  private let options: Options
  private let state = Mutex(State())
  private let changes = DispatchSemaphore(value: 0)
  private let engine: Engine
  private let began = ContinuousClock.now
  private let left: LeftResults?

  public init(_ options: Options) {
    self.options = options
    left = options.stateDirectory.map(LeftResults.init)
    let events = EventRelay()
    engine = Engine(settings: options.settings) { events.pass($0) }
    events.begin { [weak self] in self?.take($0) }
  }

  /// The name of a host's socket in its directory.
  static func socketName(ofProcess process: Int32) -> String { "engine-\(process).sock" }

  /// Serves until it is told to end, or has had nothing to do for some time.
  ///
  /// - Parameter first: the connection with the workbench that started it, if one did.
  /// - Throws: ``LinkError`` when nobody can connect with it.
  public func run(first: ByteStream?) throws(LinkError) {
    var listener: UnixListener?
    if let directory = options.directory {
      do throws(LinkError) {
        listener = try UnixListener(Self.socketName(ofProcess: getpid()), in: directory)
      } catch {
        // Whoever started it can do with it what it was started for.
        if first == nil { throw error }
      }
    }
    if let first {
      state.withLock { $0.awaitsFirst = true }
      BackgroundThread { [self] in
        attend(first)
        state.withLock { $0.awaitsFirst = false }
        changes.signal()
      }
    }
    if let listener {
      BackgroundThread { [self] in
        while let stream = listener.accept() { BackgroundThread { [self] in attend(stream) } }
      }
    }
    while !isDone { _ = changes.wait(timeout: .now() + .seconds(1)) }
    listener?.end()
    finish()
  }

  private var isDone: Bool {
    state.withLock { state in
      if state.isEnding { return true }
      guard state.client == nil, !state.awaitsFirst, !state.journal.hasWork else {
        state.idleSince = nil
        return false
      }
      let since = state.idleSince ?? .now
      state.idleSince = since
      return options.patience.map { .now - since > $0 } ?? false
    }
  }

  /// Keeps what nobody has seen, and ends the engine.
  private func finish() {
    let journal = state.withLock { state in
      state.isEnding = true
      return state.journal
    }
    if let left, let record = journal.record, !journal.unseen.isEmpty {
      if journal.hasUnseenSensitivity {
        engine.send(.saveSensitivity(path: left.sensitivityPath(of: record.model.fingerprint)))
      }
      left.keep(journal.unseen, of: record)
    }
    engine.shutDown()
    state.withLock { state in
      state.client?.end()
      state.client = nil
    }
  }

  // MARK: What the engine says

  private func take(_ event: EngineEvent) {
    state.withLock { state in
      state.journal.note(event, isSeen: state.client != nil)
      state.client?.send(.event(event))
      if case .opened(let model) = event, let client = state.client, let left,
        let jobs = left.results(of: model.fingerprint), !jobs.isEmpty
      {
        state.told = (left.path(of: model.fingerprint), .now)
        client.send(
          .attached(EngineRecord(path: model.path, model: model, jobs: jobs, isLeft: true)))
      }
    }
    if case .jobEnded = event { changes.signal() }
  }

  // MARK: Who is connected

  /// Serves one connection to its end.
  private func attend(_ stream: ByteStream) {
    do throws(LinkError) {
      try stream.write(FrameBuffer.opening)
      var buffer = FrameBuffer(limit: EngineProtocol.commandLimit)
      guard let frame = try Self.hello(from: stream, &buffer) else { return stream.end() }
      let hello = try WireMessage.decode(Hello.self, from: frame)
      var welcome = welcome
      switch hello.purpose {
      case .status: break
      case .stop: stop()
      case .work:
        let client = HostedClient(stream, name: hello.client)
        guard admit(client) else {
          welcome.refusal = "another workbench is connected with it"
          client.welcome(welcome)
          client.end()
          return
        }
        defer { dismiss(client) }
        return try serve(client, &buffer)
      }
      try stream.write(try WireMessage.encode(welcome, limit: EngineProtocol.eventLimit))
      // What is on its way must not be lost with the connection: the other side ends it.
      _ = stream.hasInput(within: 1000)
    } catch {
      if stream.hasInput(within: 0) { stream.end() }
    }
  }

  /// Ends the engine and its jobs; results that nobody has seen are kept.
  public func stop() {
    state.withLock { $0.isEnding = true }
    changes.signal()
  }

  /// A hello comes at once; whoever is silent does not hold a thread.
  private static func hello(
    from stream: ByteStream, _ buffer: inout FrameBuffer
  ) throws(LinkError) -> [UInt8]? {
    while stream.hasInput(within: 10_000) {
      let bytes = try stream.read()
      if bytes.isEmpty { return nil }
      buffer.append(bytes)
      if let frame = try buffer.next() { return frame }
    }
    return nil
  }

  /// Makes a workbench the one that is served; one that has lost its connection takes the place of its former self.
  private func admit(_ client: HostedClient) -> Bool {
    let welcome = welcome
    return state.withLock { state in
      if let other = state.client {
        guard let name = client.name, other.name == name else { return false }
        other.end()
        // A peer that reads nothing any more must not hold its thread and descriptor.
        other.stream.end()
      }
      (state.client, state.idleSince, state.awaitsFirst) = (client, nil, false)
      client.welcome(welcome)
      return true
    }
  }

  private func dismiss(_ client: HostedClient) {
    let seen = state.withLock { state -> String? in
      guard state.client === client else { return nil }
      (state.client, state.idleSince) = (nil, .now)
      defer { state.told = nil }
      // Whoever was there for some seconds has taken it on; telling it twice does no harm.
      return state.told.flatMap { .now - $0.since > .seconds(3) ? $0.path : nil }
    }
    client.end()
    if let seen { left?.forget(seen) }
    changes.signal()
  }

  /// Hears commands until the workbench goes.
  private func serve(
    _ client: HostedClient, _ buffer: inout FrameBuffer
  ) throws(LinkError) {
    var hasOpened = false
    while true {
      do throws(LinkError) {
        while let frame = try buffer.next() {
          let command = try WireMessage.decode(EngineCommand.self, from: frame)
          // What a workbench sent before another took its place is nobody's wish any more.
          guard state.withLock({ $0.client === client }) else { return }
          if case .open(let path) = command {
            open(path, isFirst: !hasOpened, for: client)
            hasOpened = true
          } else {
            take(command)
          }
        }
      } catch {
        client.send(.refused(reason: error.description))
        throw error
      }
      let bytes = try client.stream.read()
      if bytes.isEmpty { return }
      buffer.append(bytes)
    }
  }

  private func take(_ command: EngineCommand) {
    if case .shutDown = command {
      state.withLock { $0.isEnding = true }
      changes.signal()
      return
    }
    // Both under one lock: an event that answers the command comes after it in the journal.
    state.withLock { state in
      state.journal.note(command)
      engine.send(command)
    }
  }

  /// Opens a model, or tells a workbench that has just come what has become of it if it is open already.
  private func open(_ path: String, isFirst: Bool, for client: HostedClient) {
    let path = absolute(path)
    let isOpen = isFirst && isStillOpen(path)
    state.withLock { state in
      guard isOpen, let record = state.journal.record else {
        state.journal.note(.open(path: path), path: path)
        engine.send(.open(path: path))
        return
      }
      client.send(.attached(record))
      for event in state.journal.events { client.send(.event(event)) }
      // What was just told is known; what has not been kept by then is told again by whoever kept it.
      state.journal.noteSeen()
    }
  }

  /// Whether the model at a path is the one that is open, and not another that has taken its place.
  private func isStillOpen(_ path: String) -> Bool {
    let record = state.withLock { $0.journal.record }
    guard let record, record.path == path else { return false }
    return (try? LeftResults.fingerprint(ofModelAt: path)) == record.model.fingerprint
  }

  /// A path as it is from the root.
  private func absolute(_ path: String) -> String {
    EnginePaths.absolute(path, home: options.home)
  }

  private var welcome: Welcome {
    let (journal, isWatched) = state.withLock { ($0.journal, $0.client != nil) }
    let jobs = journal.record?.jobs.filter { $0.outcome == nil && $0.kind != .preview } ?? []
    let status = EngineStatus(
      process: Int(getpid()), model: journal.record?.path, isWatched: isWatched,
      jobs: jobs.map { .init(kind: $0.kind, title: $0.title, progress: $0.progress) },
      unseen: journal.unseen.count,
      secondsUp: (ContinuousClock.now - began) / .seconds(1))
    return Welcome(status: status, place: place)
  }

  private var place: EnginePlace {
    EnginePlace(
      home: options.home, directory: FileManager.default.currentDirectoryPath,
      sensitivityFolder: left?.sensitivityFolder, sensitivities: left?.sensitivities ?? [])
  }
}

/// Passes events on to a host that is made after its engine.
private final class EventRelay: Sendable {
  private let target = Mutex<(@Sendable (EngineEvent) -> Void)?>(nil)

  func begin(_ target: @escaping @Sendable (EngineEvent) -> Void) {
    self.target.withLock { $0 = target }
  }

  func pass(_ event: EngineEvent) { target.withLock(\.self)?(event) }
}
