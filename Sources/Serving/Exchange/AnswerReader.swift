/// Turns the parts of a response into news of an answer.
struct AnswerReader {
  private let address: ServerAddress
  private let tokenLimit: Int
  private var parser = EventStreamParser()
  /// The head and the first bytes of a response that is no stream.
  private var refusal: (head: HTTPHead, body: [UInt8])?
  private var pieces = 0
  private var end: ServedEnd?
  /// Whether all has been said that is worth reading.
  private(set) var isOver = false

  /// Whether the server has said why the answer ends.
  var hasEnd: Bool { end != nil }

  init(address: ServerAddress, tokenLimit: Int) {
    self.address = address
    self.tokenLimit = tokenLimit
  }

  /// The news in the next part.
  mutating func take(_ part: HTTPPart) throws(ServerFailure) -> [ServerNews] {
    switch part {
    case .head(let head):
      if !head.isStream { refusal = (head, []) }
      return []
    case .bytes(let bytes):
      if let refused = refusal {
        refusal?.body += bytes.prefix(ServerMessage.limit - refused.body.count)
        return []
      }
      let events: [[UInt8]]
      do throws(EventStreamParser.TooLong) {
        events = try parser.append(bytes)
      } catch {
        throw address.failure("the server sends an event of more than 1 MB, which is no answer")
      }
      var news: [ServerNews] = []
      for event in events where !isOver { news += try take(event) }
      return news
    }
  }

  /// The news at the response's end.
  mutating func finish() throws(ServerFailure) -> [ServerNews] {
    if let (head, body) = refusal { throw address.failure(head.refusal(body)) }
    // An event that was cut off is no event.
    if end == nil, let rest = parser.finish(), let news = try? take(rest), isOver || end != nil {
      return isOver ? news : news + conclude()
    }
    guard end != nil else {
      throw address.failure("the connection was closed before the answer was complete")
    }
    return conclude()
  }

  private mutating func take(_ data: [UInt8]) throws(ServerFailure) -> [ServerNews] {
    let event = try AnswerEvent(data, from: address)
    var news: [ServerNews] = []
    if let piece = event.piece {
      // Who does not stop at the limit is stopped: a piece is at least a token.
      if pieces == tokenLimit {
        end = .length
        return conclude()
      }
      pieces += 1
      news.append(.piece(piece))
    }
    if let end = event.end { self.end = end }
    if event.isLast {
      if end == nil { end = .complete }
      news += conclude()
    }
    return news
  }

  private mutating func conclude() -> [ServerNews] {
    isOver = true
    return end.map { [.ended($0)] } ?? []
  }
}
