import Links

/// A workbench that an engine serves.
final class HostedClient: Sendable {
  let stream: ByteStream
  /// The name that it gave itself.
  let name: String?
  private let writer: MessageWriter<HostMessage>

  init(_ stream: ByteStream, name: String?) {
    (self.stream, self.name) = (stream, name)
    writer = MessageWriter(stream, limit: EngineProtocol.eventLimit)
  }

  /// Sends the first message of all.
  func welcome(_ welcome: Welcome) {
    guard let bytes = try? WireMessage.encode(welcome, limit: EngineProtocol.eventLimit) else {
      return
    }
    writer.send(framed: bytes)
  }

  func send(_ message: HostMessage) { writer.send(message) }

  /// Ends the connection once all is sent.
  func end() { writer.end() }
}
