import Links
import Work

/// An engine at the standard input and output of this process, as ssh passes them on.
///
/// The engine is a process of its own, found or started as for a workbench on this machine: it outlives a lost connection.
public enum StandardRelay {
  /// Passes bytes on in both directions until one side ends.
  ///
  /// - Returns: why the engine ended, as is said of it; nil if the other side did.
  /// - Throws: ``LinkError`` when what comes in is no workbench of a version that this one understands, or no engine starts.
  public static func run(_ finder: EngineFinder) throws(LinkError) -> String? {
    let outside = ByteStream.standard()
    guard let (hello, bytes) = try hello(from: outside) else { return nil }
    let (engine, child) = try finder.connection(
      for: hello.attaches == true ? hello.model : nil, memoryBytes: hello.memoryBytes)
    try engine.write(bytes)
    let left = Flag()
    BackgroundThread {
      while let bytes = try? outside.read(), !bytes.isEmpty, (try? engine.write(bytes)) != nil {}
      left.set()
      engine.endOutput()
    }
    while let bytes = try? engine.read(), !bytes.isEmpty { try outside.write(bytes) }
    guard !left.isSet, let (process, errors) = child else { return nil }
    guard let end = process.end(within: 500), end != .status(0) else { return nil }
    return [end.description, errors.lastLine()].compactMap(\.self).joined(separator: ": ")
  }

  /// The first message, and all bytes that have come with it.
  private static func hello(
    from stream: ByteStream
  ) throws(LinkError) -> (Hello, [UInt8])? {
    var buffer = FrameBuffer(limit: EngineProtocol.commandLimit)
    var all: [UInt8] = []
    while true {
      let bytes = try stream.read()
      if bytes.isEmpty { return nil }
      all += bytes
      buffer.append(bytes)
      if let frame = try buffer.next() {
        return (try WireMessage.decode(Hello.self, from: frame), all)
      }
    }
  }
}
