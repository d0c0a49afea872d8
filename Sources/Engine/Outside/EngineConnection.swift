import Links
import Synchronization

/// A connection with an engine outside this process, before commands and after.
public final class EngineConnection: Sendable {
  private let stream: ByteStream
  private let child: ChildProcess?
  private let errors: ErrorText?
  /// The machine that the engine is on, as ssh was told it; nil for this one.
  private let host: String?
  /// What has come and is not read yet, and the welcome once it has.
  private let incoming: Mutex<(buffer: FrameBuffer, welcome: Welcome?)>
  private let writer: MessageWriter<EngineCommand>

  private init(
    _ stream: ByteStream, child: (ChildProcess, ErrorText)?, host: String?, hello: Hello
  ) throws(LinkError) {
    self.stream = stream
    (self.child, errors) = (child?.0, child?.1)
    self.host = host
    incoming = Mutex((FrameBuffer(limit: EngineProtocol.eventLimit), nil))
    writer = MessageWriter(stream, limit: EngineProtocol.commandLimit)
    let bytes = try WireMessage.encode(hello, limit: EngineProtocol.commandLimit)
    writer.send(framed: FrameBuffer.opening + bytes)
  }

  /// A connection with an engine on this machine: one that has the model open, if it may be that, or a new one.
  static func local(
    _ finder: EngineFinder, model: String?, attaches: Bool, client: String, memoryBytes: Int?
  ) throws(LinkError) -> EngineConnection {
    let (stream, child) = try finder.connection(
      for: attaches ? model : nil, memoryBytes: memoryBytes)
    return try EngineConnection(
      stream, child: child, host: nil, hello: Hello(purpose: .work, client: client))
  }

  /// A connection by way of ssh, which finds or starts an engine there.
  ///
  /// - Parameters:
  ///   - address: the machine.
  ///   - program: how Vise is called there.
  ///   - asks: whether ssh may ask for passwords on the terminal, and its messages are shown there.
  ///   - model: what will be opened.
  ///   - attaches: whether an engine there that has the model open will do.
  ///   - client: the workbench's name.
  ///   - memoryBytes: what a new engine may take for a compressed model.
  /// - Returns: the connection, before the engine's welcome.
  /// - Throws: ``LinkError`` when ssh cannot be started.
  static func ssh(
    _ address: SSHAddress, program: String, asks: Bool, model: String?, attaches: Bool,
    client: String, memoryBytes: Int?
  ) throws(LinkError) -> EngineConnection {
    let (here, there) = try ByteStream.pair()
    let (errors, source) = try ByteStream.pair()
    var words = ["ssh", "-T"]
    if let port = address.port { words += ["-p", String(port)] }
    if !asks { words += ["-o", "BatchMode=yes"] }
    words += ["--", address.destination, "\(program) engine --stdio"]
    let child = try ChildProcess(words, connection: there, errors: source, outlives: false)
    return try EngineConnection(
      here, child: (child, ErrorText(errors, isShown: asks)), host: address.destination,
      hello: Hello(
        purpose: .work, client: client, model: model, attaches: attaches, memoryBytes: memoryBytes))
  }

  func send(_ command: EngineCommand) { writer.send(command) }

  /// Waits for the engine's welcome.
  ///
  /// - Throws: ``LinkError`` that says why there is none, or that the engine is of another version or has somebody else.
  func welcome() throws(LinkError) -> EnginePlace {
    guard let frame = try nextFrame() else { throw LinkError(ending()) }
    let welcome = try WireMessage.decode(Welcome.self, from: frame)
    if let mismatch = welcome.mismatch(with: host) { throw LinkError(mismatch) }
    if let refusal = welcome.refusal { throw LinkError(refusal) }
    incoming.withLock { $0.welcome = welcome }
    errors?.hide()
    var place = welcome.place ?? EnginePlace(home: nil, directory: "/")
    place.host = host
    return place
  }

  /// Where the engine is, which is waited for if nobody has asked for it.
  func place() throws(LinkError) -> EnginePlace {
    guard var place = incoming.withLock({ $0.welcome?.place }) else { return try welcome() }
    place.host = host
    return place
  }

  /// What the engine says next; nil at its end.
  func next() throws(LinkError) -> HostMessage? {
    guard let frame = try nextFrame() else { return nil }
    return try WireMessage.decode(HostMessage.self, from: frame)
  }

  /// One thread reads.
  private func nextFrame() throws(LinkError) -> [UInt8]? {
    while true {
      let frame = incoming.withLock { incoming in
        Result { () throws(LinkError) in try incoming.buffer.next() }
      }
      if let frame = try frame.get() { return frame }
      let bytes = try stream.read()
      if bytes.isEmpty { return nil }
      incoming.withLock { $0.buffer.append(bytes) }
    }
  }

  /// Sends what waits, and lets go of the engine.
  func end() { writer.end() }

  /// Why the engine does not answer any more, as a sentence.
  func ending() -> String {
    writer.end()
    stream.end()
    let end = child?.end(within: 2000)
    guard let host else {
      let said = end == nil ? nil : errors?.lastLine()
      return ["the engine \(end?.description ?? "is gone")", said].compactMap(\.self)
        .joined(separator: ": ")
    }
    let stray = incoming.withLock(\.buffer.strayText).split(whereSeparator: \.isNewline).last
    let said = errors?.lastLine() ?? stray.map(String.init)
    switch end {
    case .status(127):
      return "\(host) has no such program on the PATH of its shell (\(said ?? "status 127")); "
        + "install Vise there, or name it with --remote-vise PATH"
    case .status(255): return said ?? "ssh: the connection with \(host) ended"
    default:
      let end = end.map { ": ssh \($0)" } ?? ""
      return "the connection with \(host) was lost\(said.map { ": \($0)" } ?? end)"
    }
  }
}
