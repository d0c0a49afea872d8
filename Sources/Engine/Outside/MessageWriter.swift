import Links
import Work

/// Sends messages from a thread of its own, so that nobody waits for whoever reads them.
final class MessageWriter<Message: Encodable & Sendable>: Sendable {
  private enum Item: Sendable {
    case message(Message)
    case bytes([UInt8])
    case end
  }

  private let items = Mailbox<Item>()
  let stream: ByteStream

  /// - Parameters:
  ///   - stream: where messages go; it ends when one cannot be sent.
  ///   - limit: most bytes of a message.
  init(_ stream: ByteStream, limit: Int) {
    self.stream = stream
    let items = items
    BackgroundThread {
      while true {
        var bytes: [UInt8] = []
        var hasEnded = false
        do throws(LinkError) {
          for item in items.waitAndTake() {
            switch item {
            case .message(let message): bytes += try WireMessage.encode(message, limit: limit)
            case .bytes(let more): bytes += more
            case .end: hasEnded = true
            }
            // Large ones go at once, so that the other side can begin to read them.
            if bytes.count > 65_536 {
              try stream.write(bytes)
              bytes = []
            }
          }
          try stream.write(bytes)
        } catch {
          hasEnded = true
        }
        if hasEnded {
          stream.endOutput()
          return
        }
      }
    }
  }

  func send(_ message: Message) { items.post(.message(message)) }

  /// Sends bytes that are framed already.
  func send(framed bytes: [UInt8]) { items.post(.bytes(bytes)) }

  /// Says that no more comes, once all that was sent is on its way.
  func end() { items.post(.end) }
}
