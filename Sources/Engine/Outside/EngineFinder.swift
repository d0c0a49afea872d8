import FoundationEssentials
import Glibc
import Links

/// Finds this user's engines on this machine, and starts new ones.
public struct EngineFinder: Sendable {
  private let directory: PrivateDirectory?
  private let home: String?

  /// - Parameter environment: says where engines are, and what `~` is.
  public init(environment: [String: String]) {
    directory = try? PrivateDirectory(in: environment)
    home = environment["HOME"]
  }

  /// What every engine that answers does.
  public func all() -> [EngineStatus] {
    names.compactMap { status(of: $0) }.compactMap(\.status)
  }

  /// Ends an engine.
  ///
  /// - Returns: false when there is none of that process.
  public func stop(process: Int) -> Bool {
    guard let name = names.first(where: { $0 == "engine-\(process).sock" }) else { return false }
    return ask(name, .stop) != nil
  }

  /// Connects with an engine that has a model open and no workbench, or with a new one.
  ///
  /// - Parameters:
  ///   - path: the model's path; nil for a new engine.
  ///   - memoryBytes: what a new engine may take for a compressed model.
  /// - Returns: the connection, and the process and its errors if it is new.
  /// - Throws: ``LinkError`` when none can be started.
  func connection(
    for path: String?, memoryBytes: Int?
  ) throws(LinkError) -> (stream: ByteStream, child: (ChildProcess, ErrorText)?) {
    if let path, let stream = existing(EnginePaths.absolute(path, home: home)) {
      return (stream, nil)
    }
    return try Self.start(memoryBytes: memoryBytes)
  }

  private func existing(_ path: String) -> ByteStream? {
    for name in names {
      guard let directory, let welcome = status(of: name), welcome.mismatch(with: nil) == nil,
        let status = welcome.status, status.model == path, !status.isWatched
      else { continue }
      return try? UnixSocket.connect(to: name, in: directory)
    }
    return nil
  }

  /// Starts an engine with a connection.
  private static func start(
    memoryBytes: Int?
  ) throws(LinkError) -> (stream: ByteStream, child: (ChildProcess, ErrorText)?) {
    let (here, there) = try ByteStream.pair()
    let (errors, source) = try ByteStream.pair()
    // The file that runs, also if another one has taken its name since.
    var words = ["/proc/self/exe", "engine", "--connected"]
    if let memoryBytes { words += ["--memory", String(memoryBytes)] }
    let child = try ChildProcess(words, connection: there, errors: source, outlives: true)
    return (here, (child, ErrorText(errors, isShown: false)))
  }

  /// Names of sockets; those that nobody holds any more are removed when they are asked.
  private var names: [String] {
    directory?.names.filter { $0.hasPrefix("engine-") && $0.hasSuffix(".sock") } ?? []
  }

  private func status(of name: String) -> Welcome? { ask(name, .status) }

  private func ask(_ name: String, _ purpose: Hello.Purpose) -> Welcome? {
    guard let directory else { return nil }
    let stream: ByteStream
    do throws(LinkError) {
      stream = try UnixSocket.connect(to: name, in: directory)
    } catch {
      if errno == ECONNREFUSED { directory.remove(name) }
      return nil
    }
    let hello = Hello(purpose: purpose)
    guard let bytes = try? WireMessage.encode(hello, limit: EngineProtocol.commandLimit),
      (try? stream.write(FrameBuffer.opening + bytes)) != nil
    else { return nil }
    var buffer = FrameBuffer(limit: EngineProtocol.eventLimit)
    // One that hangs is left alone.
    while stream.hasInput(within: 300), let bytes = try? stream.read(), !bytes.isEmpty {
      buffer.append(bytes)
      guard let frame = try? buffer.next() else { continue }
      return try? WireMessage.decode(Welcome.self, from: frame)
    }
    return nil
  }
}
